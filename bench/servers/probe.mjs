import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { tell } from './tell.mjs'

/** The loop is looked at so often, which takes no JavaScript. A stall that is told may be that much longer. */
const everyMs = 2
const delay = monitorEventLoopDelay({ resolution: everyMs })
setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc')

// How long the event loop stood still at most since this was asked last, and the memory that is in use. To find out the
// latter takes a while, and the loop is not looked at meanwhile, nor before this was asked once.
tell(() => {
  const stallMs = Math.max(0, delay.max / 1e6 - everyMs)
  delay.disable()
  collectGarbage()
  collectGarbage()
  const { rss, heapUsed, external } = process.memoryUsage()
  delay.enable()
  delay.reset()
  return { stallMs, rssBytes: rss, usedBytes: heapUsed + external }
})
