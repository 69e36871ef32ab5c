import { createParser, type EventSourceMessage } from 'eventsource-parser'

/** Parses a body of `text/event-stream` while it arrives. Ends when the body does. */
export async function* readEvents(body: AsyncIterable<Uint8Array>): AsyncIterable<EventSourceMessage> {
  const arrived: EventSourceMessage[] = []
  const parser = createParser({ onEvent: (event) => arrived.push(event) })
  const decoder = new TextDecoder()
  for await (const bytes of body) {
    parser.feed(decoder.decode(bytes, { stream: true }))
    yield* arrived.splice(0)
  }
}
