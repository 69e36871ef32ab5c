import { atRestPart } from './at-rest.ts'
import { deployPart } from './deploy.ts'
import { filesPart } from './files.ts'
import type { Part } from './part.ts'
import { rowsKeptPart } from './rows-kept.ts'
import { runtimePart } from './runtime.ts'
import { startPart } from './start.ts'
import { streamingPart } from './streaming.ts'
import { sweepPart } from './sweep.ts'
import { waitingPart } from './waiting.ts'
import { wholeWayPart } from './whole-way.ts'

export const parts: readonly Part[] = [
  runtimePart,
  wholeWayPart,
  streamingPart,
  rowsKeptPart,
  waitingPart,
  filesPart,
  sweepPart,
  atRestPart,
  startPart,
  deployPart,
]
