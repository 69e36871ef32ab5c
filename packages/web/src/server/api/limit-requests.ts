import type { FastifyInstance } from 'fastify'
import { addressKey, CountsByAddress } from '../accounts/address.ts'
import { Refused } from '../accounts/who.ts'
import type { WebLimits } from '../config.ts'

const minuteMs = 60_000
const mostAddresses = 10_000

/**
 * Refuses what an address asks above the limit of a minute. Headers tell how much is left, as
 * drafts 3 to 6 of draft-ietf-httpapi-ratelimit-headers have it.
 */
export function limitRequests(app: FastifyInstance, limits: WebLimits): void {
  const counts = new CountsByAddress(minuteMs, () => mostAddresses)
  app.addHook('onRequest', (request, reply, done) => {
    if (request.url.startsWith('/-/assets/') && !request.is404) return done()
    const limit = limits.requestsPerMinute
    const { isTaken, left, endsInMs } = counts.take(addressKey(request.ip), limit)
    const seconds = Math.ceil(endsInMs / 1000)
    reply.headers({ 'ratelimit-limit': limit, 'ratelimit-remaining': left, 'ratelimit-reset': seconds })
    if (isTaken) return done()
    reply.header('retry-after', seconds)
    done(new Refused(429, `expected at most ${limit} requests a minute, got more; try again in ${seconds} s`))
  })
}
