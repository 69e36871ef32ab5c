/** The values that were set last, as many as fit into so many bytes. */
export class Newest<Key, Value> {
  private readonly values = new Map<Key, { value: Value; bytes: number }>()
  private readonly most: number
  private bytes = 0

  constructor(most: number) {
    this.most = most
  }

  /** `bytes`: about how much memory the value takes. */
  set(key: Key, value: Value, bytes: number): void {
    this.delete(key)
    this.values.set(key, { value, bytes })
    this.bytes += bytes
    for (const oldest of this.values.keys()) {
      if (this.bytes <= this.most) return
      this.delete(oldest)
    }
  }

  get(key: Key): Value | undefined {
    return this.values.get(key)?.value
  }

  delete(key: Key): void {
    this.bytes -= this.values.get(key)?.bytes ?? 0
    this.values.delete(key)
  }
}
