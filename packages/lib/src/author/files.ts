/** A file that a visitor gave. It is there while `predict` runs; copy what should stay. */
export interface ModelFile {
  /** Absolute, on this machine. */
  readonly path: string
  /** As its sender called it. */
  readonly name: string
  /** Media type, such as `image/png`. */
  readonly type: string
  bytes(): Promise<Uint8Array>
}

/** A file that a model gives: its bytes, or the path of one it wrote. */
export type OutputFile =
  | Uint8Array
  | { readonly bytes: Uint8Array; readonly name?: string; readonly type?: string }
  | { readonly path: string; readonly name?: string; readonly type?: string }
