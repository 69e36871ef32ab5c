import { useLayoutEffect, useRef } from 'react'

/**
 * Run and Cancel take each other's place. The focus that was on the one that goes stays at their place: the props are
 * of the element around both. `shown` tells the two apart.
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
