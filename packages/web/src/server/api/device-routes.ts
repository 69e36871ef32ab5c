import { type DeviceReason, webApi } from '@origami/protocol/control'
import { endpointsOn } from '@origami/serving/endpoints'
import type { FastifyInstance } from 'fastify'
import { deviceTimes } from '../accounts/device-codes.ts'
import { Refused } from '../accounts/who.ts'
import { type Context, deployer, signedIn } from '../context.ts'
import { remarksOn } from './remarks.ts'

const messages: Record<DeviceReason, string> = {
  authorization_pending: 'Nobody has answered yet; open the page and allow it.',
  slow_down: 'Nobody has answered yet, and you ask too often; wait longer between two times.',
  access_denied: 'It was denied on the page.',
  expired_token: 'That code is not known, or ten minutes have passed; begin again.',
  used: 'That code was used already; begin again.',
}
const aMinute = (max: () => number) => ({ rateLimit: { max, timeWindow: '1 minute' } })

/** `origami login`: a program asks (the first two routes, which need no cookie), and a person answers on a page. */
export async function deviceRoutes(app: FastifyInstance, context: Context): Promise<void> {
  const { deviceCodes, publicUrl, limits, audit } = context
  const oftenEnough = aMinute(() => limits.codeTriesPerMinute)

  const on = endpointsOn(app, webApi, remarksOn)
  const beginning = { config: { ...aMinute(() => limits.signInsPerMinute), byCookie: false } }
  on('POST /-/api/device', beginning, async ({ body, request }) => {
    const agent = (request.headers['user-agent'] ?? 'a program').slice(0, 200)
    const host = body?.host ?? request.ip
    const { deviceCode, userCode } = await deviceCodes.begin({ host, agent, address: request.ip })
    const page = `${publicUrl()}/-/device`
    return {
      device_code: deviceCode,
      user_code: userCode,
      verification_uri: page,
      verification_uri_complete: `${page}?code=${userCode}`,
      expires_in: deviceTimes.expires,
      interval: deviceTimes.interval,
    }
  })
  on('POST /-/api/device/token', { config: { byCookie: false } }, async ({ body, request, reply }) => {
    const taken = await deviceCodes.take(body.device_code, (trx, { id, name, account }) =>
      audit.write(trx, request, { action: 'takeDeviceToken', object: id, account, after: { name } }),
    )
    if ('token' in taken) return taken
    return reply.status(400).send({ error: messages[taken.reason], reason: taken.reason })
  })

  on('GET /-/api/device', { config: oftenEnough }, async ({ query, request }) => {
    signedIn(request)
    const asking = await deviceCodes.pending(query.code)
    if (!asking) throw new Refused(404, 'Nobody asks under that code (any more); begin again in the terminal.')
    return asking
  })
  on('POST /-/api/device/answer', { config: oftenEnough }, async ({ body: { code, allow }, request }) => {
    const account = allow ? await deployer(context, request) : signedIn(request)
    await audit.record(request, { action: 'answerDevice', after: { allow } }, async (write) => {
      if (!(await deviceCodes.answer(code, account, allow, write)))
        throw new Refused(404, 'Nobody asks under that code (any more); begin again in the terminal.')
    })
    return {}
  })
}
