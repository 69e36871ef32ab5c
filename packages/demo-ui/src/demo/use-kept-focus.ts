import { useLayoutEffect, useRef } from 'react'

/** Run and Cancel take each other's place: the focus that was on the one stays here. */
export function useKeptFocus(runs: boolean) {
  const place = useRef<HTMLDivElement>(null)
  const inside = useRef(false)
  // biome-ignore lint/correctness/useExhaustiveDependencies: as one takes the other's place
  useLayoutEffect(() => {
    if (inside.current && document.activeElement === document.body) place.current?.focus()
  }, [runs])
  const onFocus = () => {
    inside.current = true
  }
  const onBlur = () => {
    inside.current = false
  }
  return { ref: place, tabIndex: -1, onFocus, onBlur }
}
