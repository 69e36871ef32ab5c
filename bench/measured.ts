/** One number of one run, beside the number that it is compared with. */
export interface Row {
  readonly part: string
  readonly what: string
  readonly unit: string
  readonly ours: number
  /** What it is compared with: another program, or ourselves under other conditions. None: the number itself counts. */
  readonly peer?: { readonly name: string; readonly value: number }
  /** What the ratio of both (or the number itself) has to be. */
  readonly goal: Goal
}

export interface Goal {
  readonly at: 'least' | 'most'
  readonly value: number
}

export const atLeast = (value: number): Goal => ({ at: 'least', value })
export const atMost = (value: number): Goal => ({ at: 'most', value })

/** What one system did under one load. */
export interface Throughput {
  readonly system: string
  readonly clients: number
  readonly perSecond: number
  readonly p50: number
  readonly p99: number
  readonly failed: number
}

/** What one part found in one run. */
export interface Findings {
  readonly rows: readonly Row[]
  readonly throughputs?: readonly Throughput[]
  /** Whatever else there is to say. */
  readonly notes?: readonly string[]
}

export interface Spread {
  readonly median: number
  readonly least: number
  readonly most: number
}

export function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b)
  return {
    median: sorted[Math.floor(sorted.length / 2)] ?? Number.NaN,
    least: sorted[0] ?? Number.NaN,
    most: sorted.at(-1) ?? Number.NaN,
  }
}
