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

/** A demo that can be called, whatever is behind it: workers, a queue, or a demo on another server (HttpPredictor). */
export interface Predictor {
  /** Throws Gone while the schema is not known, because setup is running or has failed. */
  schema(signal?: AbortSignal): Promise<DemoSchema>
  health(signal?: AbortSignal): Promise<Health>
  /**
   * Stores a prediction; it is durable when the promise resolves. Idempotent by id: the same id joins the existing
   * prediction. Throws Invalid, Full or Gone.
   */
  submit(request: PredictionRequest, signal?: AbortSignal): Promise<Prediction>
  find(id: PredictionId, signal?: AbortSignal): Promise<Prediction | undefined>
  readonly files: Files
}

export interface PredictionRequest {
  readonly id: PredictionId
  /** Files in it are FileRefs that `files` knows. */
  readonly input: Input
  readonly visitor?: VisitorId | undefined
  /** What the caller reads next of the prediction, so that it can come without being asked for. */
  readonly follow?: Follow | undefined
}

/** The events from the first on, or the end alone. */
export type Follow = 'events' | 'end'

export interface Prediction {
  readonly id: PredictionId
  /** Who made it. Only they and the demo's owner may cancel it, and anybody if its maker had no cookie or token. */
  readonly visitor?: VisitorId | undefined
  snapshot(signal?: AbortSignal): Promise<PredictionSnapshot>
  /**
   * Yields the events after number `after` (0: from the start), then new ones, and ends with `completed`. Aborting the
   * signal ends it without an error.
   */
  events(after?: number, signal?: AbortSignal): AsyncIterable<PredictionEvent>
  /**
   * Its snapshot once it ended, for who follows nothing else of it. Where it is absent, `events` says the end. Throws
   * the signal's reason, where it waits for itself and not for a server.
   */
  ended?(signal?: AbortSignal): Promise<PredictionSnapshot>
  /** Cancels it. False: it had ended before. */
  cancel(signal?: AbortSignal): Promise<boolean>
}

export interface Files {
  /**
   * Stores bytes under the caller's own id. The same id and name again returns the existing file. `size` is how many
   * there are, where that is known before. Throws Invalid (`value_error.too_large`).
   */
  put(
    id: string,
    name: string,
    type: string | undefined,
    bytes: AsyncIterable<Uint8Array>,
    signal?: AbortSignal,
    size?: number,
  ): Promise<FileRef>
  /** Undefined when there is no such file, or not any more. Aborting the signal also ends the reading of its bytes. */
  open(ref: FileRef, signal?: AbortSignal): Promise<OpenFile | undefined>
}

export interface OpenFile {
  readonly name: string
  /** The type that the bytes show, or else the sender's. */
  readonly type: string
  readonly size: number
  /** Where the bytes are, when they are on this machine. No caller of an API sees it. */
  readonly path?: string
  /** The bytes from `start` to before `end`. Throws when the file disappears. */
  bytes(start?: number, end?: number): AsyncIterable<Uint8Array>
}
