/** Lets one loop sleep until somebody wakes it. A call while it does not sleep is kept for its next sleep. */
export class Wake {
  private isAwake = false
  private resume: (() => void) | undefined

  readonly wake = (): void => {
    this.isAwake = true
    this.resume?.()
  }

  async sleep(): Promise<void> {
    if (!this.isAwake)
      await new Promise<void>((resolve) => {
        this.resume = resolve
      })
    this.resume = undefined
    this.isAwake = false
  }
}
