/** A file that a visitor sent. It exists while `predict` runs. Copy what you want to keep. */
export interface ModelFile {
  /** The absolute path on this machine. */
  readonly path: string
  /** The name that its sender gave it. */
  readonly name: string
  /** The media type, such as `image/png`. */
  readonly type: string
  bytes(): Promise<Uint8Array>
}

/** A file that a model returns: its bytes, or the path of one that it wrote. */
export type OutputFile =
  | Uint8Array
  | { readonly bytes: Uint8Array; readonly name?: string; readonly type?: string }
  | { readonly path: string; readonly name?: string; readonly type?: string }
