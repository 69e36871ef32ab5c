import type {
  DemoSchema,
  FileRef,
  Health,
  Input,
  PredictionEvent,
  PredictionId,
  PredictionSnapshot,
  VisitorId,
} from '@origami/protocol/demo'

/**
 * A demo that can be called, whoever stands behind it: a worker here, a queue, or a demo over there (HttpPredictor).
 */
export interface Predictor {
  /** Throws Gone while nobody knows it: setup still runs, or failed. */
  schema(signal?: AbortSignal): Promise<DemoSchema>
  health(signal?: AbortSignal): Promise<Health>
  /**
   * Durable when it resolves. Idempotent by id: the same id joins the prediction already there.
   * Throws Invalid | Full | Gone.
   */
  submit(request: PredictionRequest, signal?: AbortSignal): Promise<Prediction>
  find(id: PredictionId, signal?: AbortSignal): Promise<Prediction | undefined>
  readonly files: Files
}

export interface PredictionRequest {
  readonly id: PredictionId
  /** Files are FileRefs that `files` knows. */
  readonly input: Input
  readonly visitor?: VisitorId | undefined
}

export interface Prediction {
  readonly id: PredictionId
  /** Who made it; only they, and the demo's owner, may cancel it. */
  readonly visitor?: VisitorId | undefined
  snapshot(signal?: AbortSignal): Promise<PredictionSnapshot>
  /**
   * What happened after event `after` (0: from the start), then what happens, and ends with `completed`.
   * Aborting the signal ends it quietly.
   */
  events(after?: number, signal?: AbortSignal): AsyncIterable<PredictionEvent>
  /** False: it had ended before. */
  cancel(signal?: AbortSignal): Promise<boolean>
}

export interface Files {
  /**
   * Keeps bytes under the caller's own id. The same id and name again joins what is there. Throws Invalid
   * (`value_error.too_large`).
   */
  put(
    id: string,
    name: string,
    type: string | undefined,
    bytes: AsyncIterable<Uint8Array>,
    signal?: AbortSignal,
  ): Promise<FileRef>
  /** Undefined when there is no such file (any more). Aborting the signal ends the reading of its bytes too. */
  open(ref: FileRef, signal?: AbortSignal): Promise<OpenFile | undefined>
}

export interface OpenFile {
  readonly name: string
  /** Found in the bytes where they tell; else what the sender said. */
  readonly type: string
  readonly size: number
  /** From byte `start` to before `end`. Throws if the file went away. */
  bytes(start?: number, end?: number): AsyncIterable<Uint8Array>
}
