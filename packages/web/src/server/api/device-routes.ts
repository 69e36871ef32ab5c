import { type DeviceReason, deviceAnswer, deviceQuery, deviceToken, newDevice } from '@origami/protocol/control'
import type { FastifyInstance } from 'fastify'
import { deviceTimes } from '../accounts/device-codes.ts'
import { Refused } from '../accounts/who.ts'
import { type Context, deployer, signedIn } from '../context.ts'

const words: Record<DeviceReason, string> = {
  authorization_pending: 'Nobody has answered yet; open the page and allow it.',
  slow_down: 'Nobody has answered yet, and you ask too often; wait longer between two times.',
  access_denied: 'It was denied on the page.',
  expired_token: 'That code is not known, or ten minutes have passed; begin again.',
  used: 'That code was used already; begin again.',
}
const aMinute = (max: () => number) => ({ rateLimit: { max, timeWindow: '1 minute' } })

/** `origami login`: a program asks (the first two, which carry no cookie), and a person answers on a page. */
export async function deviceRoutes(app: FastifyInstance, context: Context): Promise<void> {
  const { deviceCodes, publicUrl, limits } = context
  const oftenEnough = aMinute(() => limits.codeTriesPerMinute)

  app.post('/-/api/device', { config: { ...aMinute(() => limits.signInsPerMinute), byCookie: false } }, async (request) => {
    const { host } = newDevice.parse(request.body ?? {})
    const agent = (request.headers['user-agent'] ?? 'a program').slice(0, 200)
    const { deviceCode, userCode } = await deviceCodes.begin({ host: host ?? request.ip, agent, address: request.ip })
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
  app.post('/-/api/device/token', { config: { byCookie: false } }, async (request, reply) => {
    const taken = await deviceCodes.take(deviceToken.parse(request.body).device_code)
    if ('token' in taken) return taken
    return reply.status(400).send({ error: words[taken.reason], reason: taken.reason })
  })

  app.get('/-/api/device', { config: oftenEnough }, async (request) => {
    signedIn(request)
    const { code } = deviceQuery.parse(request.query)
    const asking = await deviceCodes.pending(code)
    if (!asking) throw new Refused(404, 'Nobody asks under that code (any more); begin again in the terminal.')
    return asking
  })
  app.post('/-/api/device/answer', { config: oftenEnough }, async (request) => {
    const { code, allow } = deviceAnswer.parse(request.body)
    const account = allow ? await deployer(context, request) : signedIn(request)
    if (!(await deviceCodes.answer(code, account, allow)))
      throw new Refused(404, 'Nobody asks under that code (any more); begin again in the terminal.')
    return {}
  })
}
