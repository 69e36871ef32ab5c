import { atRestPart, startPart } from './at-rest.ts'
import type { Part } from './part.ts'
import { rowsKeptPart } from './rows-kept.ts'
import { runtimePart } from './runtime.ts'
import { streamingPart } from './streaming.ts'
import { sweepPart } from './sweep.ts'
import { wholeWayPart } from './whole-way.ts'

export const parts: readonly Part[] = [
  runtimePart,
  wholeWayPart,
  streamingPart,
  rowsKeptPart,
  sweepPart,
  atRestPart,
  startPart,
]
