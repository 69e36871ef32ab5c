import type { Part } from './part.ts'
import { runtimePart } from './runtime.ts'
import { sweepPart } from './sweep.ts'
import { wholeWayPart } from './whole-way.ts'

export const parts: readonly Part[] = [runtimePart, wholeWayPart, sweepPart]
