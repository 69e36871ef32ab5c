/**
 * Numbers in order of their turn, and among those of one turn by themselves. Where one stands is told without walking
 * those before it.
 */
export class Ranks {
  /** By turn, each in order. */
  private readonly turns: number[][] = []
  /** A Fenwick tree (binary indexed tree) of how many each turn has. */
  private sums: number[] = [0]

  add(turn: number, number: number): void {
    while (this.turns.length <= turn) this.turns.push([])
    if (this.sums.length <= this.turns.length) this.grow()
    const those = this.turns[turn] ?? []
    those.splice(placeIn(those, number), 0, number)
    this.count(turn, 1)
  }

  /** It must be there. */
  delete(turn: number, number: number): void {
    const those = this.turns[turn] ?? []
    those.splice(placeIn(those, number), 1)
    this.count(turn, -1)
  }

  /** How many stand before this number in this turn. */
  before(turn: number, number: number): number {
    let sum = placeIn(this.turns[turn] ?? [], number)
    for (let at = turn; at > 0; at -= at & -at) sum += this.sums[at] ?? 0
    return sum
  }

  first(): number | undefined {
    let empty = 0
    for (let step = 2 ** (31 - Math.clz32(this.sums.length)); step >= 1; step /= 2)
      if (empty + step < this.sums.length && this.sums[empty + step] === 0) empty += step
    return this.turns[empty]?.[0]
  }

  private count(turn: number, change: number): void {
    for (let at = turn + 1; at < this.sums.length; at += at & -at) this.sums[at] = (this.sums[at] ?? 0) + change
  }

  private grow(): void {
    this.sums = new Array<number>(2 * this.turns.length + 1).fill(0)
    for (const [turn, { length }] of this.turns.entries()) this.count(turn, length)
  }
}

/** Where a number stands in an ordered list, or would stand. */
export function placeIn(numbers: readonly number[], number: number): number {
  let [low, high] = [0, numbers.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((numbers[middle] ?? 0) < number) low = middle + 1
    else high = middle
  }
  return low
}
