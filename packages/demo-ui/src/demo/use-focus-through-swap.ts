import { useLayoutEffect, useRef } from 'react'

/**
 * Run and Cancel replace each other. When the one with the focus goes, the other one gets it. The properties belong to
 * the element around both. `shown` says which one is shown.
 */
export function useFocusThroughSwap(shown: boolean) {
  const place = useRef<HTMLDivElement>(null)
  const inside = useRef(false)
  // biome-ignore lint/correctness/useExhaustiveDependencies: as one takes the other's place
  useLayoutEffect(() => {
    if (inside.current && document.activeElement === document.body) place.current?.focus()
  }, [shown])
  const onFocus = () => {
    inside.current = true
  }
  const onBlur = () => {
    inside.current = false
  }
  return { ref: place, tabIndex: -1, onFocus, onBlur }
}
