import { readEvents } from '@origami/host/read-events'
import { Agent, request } from 'undici'

/**
 * A client of Gradio's queue as its own page is one: it joins by `queue/join`, and one event stream brings what happens
 * to all that it joined.
 */
export class GradioQueue {
  /** How many parts of outputs came, beside the ends. */
  parts = 0
  private readonly base: string
  private readonly session = crypto.randomUUID()
  private readonly agent = new Agent({ connections: 128, headersTimeout: 0, bodyTimeout: 0 })
  private readonly pending = new Map<string, { done: () => void; fail: (error: Error) => void }>()
  /** Events of predictions whose `join` has not been answered yet. */
  private readonly early = new Map<string, Message>()
  private isFollowing = false

  constructor(base: string) {
    this.base = base
  }

  /** Resolves when the prediction has ended well. */
  async predict(text: string): Promise<void> {
    const { statusCode, body } = await request(`${this.base}/gradio_api/queue/join`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ data: [text], fn_index: await this.predictIndex(), session_hash: this.session }),
      dispatcher: this.agent,
    })
    const answer = await body.text()
    if (statusCode !== 200) throw new Error(`${statusCode} ${answer}`)
    const { event_id: id } = JSON.parse(answer) as { event_id: string }
    const ended = new Promise<void>((done, fail) => this.pending.set(id, { done, fail }))
    const before = this.early.get(id)
    if (before) this.end(before)
    if (!this.isFollowing) this.follow().catch((error: Error) => this.failAll(error))
    return ended
  }

  async close(): Promise<void> {
    await this.agent.destroy()
  }

  private index: Promise<number> | undefined
  /** `fn_index` of what `gr.Interface` calls `predict`. */
  private predictIndex(): Promise<number> {
    this.index ??= this.findIndex()
    return this.index
  }

  private async findIndex(): Promise<number> {
    const { body } = await request(`${this.base}/config`, { dispatcher: this.agent })
    const { dependencies } = (await body.json()) as { dependencies: { id: number; api_name: string }[] }
    const found = dependencies.find(({ api_name }) => api_name === 'predict')
    if (!found) throw new Error(`expected an endpoint named predict, got ${JSON.stringify(dependencies)}`)
    return found.id
  }

  /** Gradio ends the stream whenever nothing of its session is left in the queue. */
  private async follow(): Promise<void> {
    this.isFollowing = true
    try {
      while (this.pending.size > 0) {
        const { body } = await request(`${this.base}/gradio_api/queue/data?session_hash=${this.session}`, {
          dispatcher: this.agent,
        })
        for await (const { data } of readEvents(body)) this.receive(JSON.parse(data) as Message)
      }
    } finally {
      this.isFollowing = false
    }
  }

  private receive(message: Message): void {
    if (message.msg === 'process_generating') this.parts += 1
    if (message.msg !== 'process_completed') return
    if (this.pending.has(message.event_id)) this.end(message)
    else this.early.set(message.event_id, message)
  }

  private end(message: Message): void {
    this.early.delete(message.event_id)
    const waiting = this.pending.get(message.event_id)
    this.pending.delete(message.event_id)
    if (message.success) waiting?.done()
    else waiting?.fail(new Error(`Gradio failed: ${JSON.stringify(message)}`))
  }

  private failAll(error: Error): void {
    for (const { fail } of this.pending.values()) fail(error)
    this.pending.clear()
  }
}

interface Message {
  readonly msg: string
  readonly event_id: string
  readonly success?: boolean
}
