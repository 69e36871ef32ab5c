import { registerHooks } from 'node:module'
import { Socket } from 'node:net'
import { pathToFileURL } from 'node:url'
import { Mailbox } from '../pool/mailbox.ts'
import { encodeFrame, readFrames } from '../wire/frames.ts'
import { endMark, type FromWorker, type ToWorker } from '../wire/messages.ts'
import { ahead, Calls } from './calls.ts'
import { loadDemo } from './load.ts'

/**
 * The Node worker: `node worker/main.ts <model>`, with the runtime at the other end of file descriptors 3 and 4.
 * `origami-lib` resolves to the copy beside this file, so that a bundle needs no registry.
 */
const author = new URL(import.meta.url.endsWith('.ts') ? '../../author/index.ts' : './author.mjs', import.meta.url).href
registerHooks({
  resolve: (specifier, context, nextResolve) =>
    specifier === 'origami-lib' ? { url: author, shortCircuit: true } : nextResolve(specifier, context),
})

const [heardFrom, sentTo] = [new Socket({ fd: 3 }), new Socket({ fd: 4 })]
const send = (message: FromWorker) => {
  const frame = encodeFrame(message)
  return new Promise<void>((resolve) => {
    // Where it cannot be sent the runtime is gone, which ends this process.
    sentTo.write(frame, () => resolve())
  })
}

/** Reports that everything of `id` was printed. */
const mark = (id: string) => {
  process.stdout.write(endMark(id))
  process.stderr.write(endMark(id))
}

const heard = new Mailbox<ToWorker>()
void hear()

try {
  const { definition, schema } = await loadDemo(pathToFileURL(process.argv[2] ?? ''))
  void send({ type: 'schema', schema })
  await definition.setup?.()
  mark('setup')
  void send({ type: 'ready', ahead })
  const calls = new Calls(definition, schema, send, mark)
  for await (const message of heard) {
    if (message.type === 'predict') calls.predict(message)
    else calls.cancel(message.id)
  }
} catch (error) {
  const { message, stack } = error instanceof Error ? error : new Error(String(error))
  mark('setup')
  void send({ type: 'setup_failed', error: message, traceback: stack ?? message })
  process.exitCode = 1
  heardFrom.end()
  sentTo.end()
}

/**
 * Called at the start, so that a worker ends with its runtime even during its setup, when nothing would read its
 * messages.
 */
async function hear(): Promise<void> {
  try {
    for await (const message of readFrames(heardFrom)) heard.put(message as ToWorker)
  } finally {
    process.exit()
  }
}
