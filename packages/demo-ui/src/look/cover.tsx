/**
 * The cover of a demo that has no picture: a folded tessellation made from its id. The same id gives the same cover, in
 * light and in dark. It fills the available width; `size` is a width in pixels. With an empty title it is decoration.
 */
export function Cover({ id, title, size }: { id: string; title: string; size?: number }) {
  const { facets, paper } = fold(id)
  const named = title === '' ? { 'aria-hidden': true as const } : { role: 'img', 'aria-label': `Cover of ${title}` }
  return (
    // biome-ignore lint/a11y/noSvgWithoutTitle: `named` gives it its name, or says that it is decoration
    <svg
      {...named}
      viewBox={`0 0 ${columns * edge} ${rows * edge}`}
      width={size ?? '100%'}
      preserveAspectRatio="xMidYMid slice"
      style={{ display: 'block', background: `var(--ori-paper-${paper})` }}
      shapeRendering="geometricPrecision"
    >
      {facets.map(({ points, light, sheet }) => (
        <g key={points}>
          <polygon points={points} fill={`var(--ori-paper-${sheet})`} />
          <polygon
            points={points}
            fill={light > 0 ? 'var(--ori-fold-light)' : 'var(--ori-fold-dark)'}
            opacity={Math.abs(light)}
          />
        </g>
      ))}
    </svg>
  )
}

interface Facet {
  points: string
  /** How directly it faces the light, from -1 to 1. */
  light: number
  sheet: number
}
type Point = readonly [number, number]

/** The number of the colours `--ori-paper-0` and following. */
const papers = 8
const columns = 8
const rows = 5
const edge = 40

/** Folds a grid along a crease pattern, raises its crossings at random, and shades each triangle by its slope. */
function fold(id: string): { facets: readonly Facet[]; paper: number } {
  const random = chance(id)
  const count = papers
  const paper = Math.floor(random() * count)
  const other = (paper + 1 + Math.floor(random() * (count - 1))) % count
  const crease = creases[Math.floor(random() * creases.length)] ?? creases[0]
  const seam = random() * columns
  const slant = random() * 2 - 1
  const corners = Array.from({ length: (rows + 1) * (columns + 1) }, (_, index) => {
    const [x, y] = [index % (columns + 1), Math.floor(index / (columns + 1))]
    const [dx, dy] = crease.shift(x, y)
    return { at: [(x + dx) * edge, (y + dy) * edge] as Point, height: random() * edge * 0.9 }
  })
  const corner = (x: number, y: number) => corners[y * (columns + 1) + x] ?? { at: [0, 0] as Point, height: 0 }
  const facets: Facet[] = []
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) {
      const [a, b, c, d] = [corner(x, y), corner(x + 1, y), corner(x + 1, y + 1), corner(x, y + 1)]
      const halves = crease.rising(x, y)
        ? [
            [a, b, d],
            [b, c, d],
          ]
        : [
            [a, b, c],
            [a, c, d],
          ]
      const sheet = x + 0.5 > seam + slant * (y - rows / 2) * 1.5 ? other : paper
      for (const half of halves) {
        const points = half.map(({ at }) => at.map((n) => n.toFixed(1)).join(',')).join(' ')
        facets.push({ points, light: slope(half), sheet })
      }
    }
  }
  return { facets, paper }
}

/** Crease patterns of paper folding: pleats, diamonds, pinwheels. `shift` moves a crossing by parts of an edge. */
const creases = [
  { rising: (x: number, y: number) => (x + y) % 2 === 0, shift: (): Point => [0, 0] },
  {
    rising: (_: number, y: number) => y % 2 === 0,
    shift: (x: number, y: number): Point => [y % 2 === 0 || x % columns === 0 ? 0 : 0.5, 0],
  },
  {
    rising: (x: number) => x % 2 === 0,
    shift: (x: number, y: number): Point => [0, y % rows === 0 ? 0 : x % 2 === 0 ? 0.3 : -0.3],
  },
] as const

function slope(half: readonly { at: Point; height: number }[]): number {
  const [a, b, c] = half
  if (!a || !b || !c) return 0
  const [ux, uy, uz] = [b.at[0] - a.at[0], b.at[1] - a.at[1], b.height - a.height]
  const [vx, vy, vz] = [c.at[0] - a.at[0], c.at[1] - a.at[1], c.height - a.height]
  const normal = [uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx] as const
  const length = Math.hypot(...normal) || 1
  const lit = (-0.5 * normal[0] - 0.62 * normal[1] + 0.6 * normal[2]) / length
  return Math.max(-0.42, Math.min(0.42, (lit - 0.5) * 0.62))
}

/** Pseudo-random numbers from 0 to 1, determined by a text (FNV-1a, then mulberry32). */
function chance(text: string): () => number {
  let state = 2166136261
  for (const letter of text) state = Math.imul(state ^ (letter.codePointAt(0) ?? 0), 16777619)
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}
