/** The mark: a crane of seven folds in the accent colour. It is decoration: the text beside it names it. */
export function Crane({ size = 28 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 64 64" aria-hidden="true" focusable="false" fill="var(--ori-accent)">
      {folds.map(([points, opacity]) => (
        <polygon key={points} points={points} opacity={opacity} />
      ))}
    </svg>
  )
}

/** Far wing, near wing, body, neck, head, tail. A lighter fold faces the light more. */
const folds = [
  ['34,38 44,5 26,33', 0.55],
  ['34,38 20,8 22,36', 0.78],
  ['22,36 20,8 12,24', 0.5],
  ['22,35 46,37 33,52', 1],
  ['22,35 33,52 20,42', 0.7],
  ['20,42 5,27 22,35', 0.85],
  ['5,27 10,31.8 1,33', 0.6],
  ['46,37 62,21 40,43.6', 0.8],
] as const
