import { webApi } from '@origami/protocol/control'
import { endpointsOn } from '@origami/serving/endpoints'
import type { FastifyInstance } from 'fastify'
import { makeToken } from '../accounts/tokens.ts'
import { type Context, deployer, signedIn } from '../context.ts'
import { removeToken, tokensOf } from '../store/tokens.ts'
import { remarksOn } from './remarks.ts'

/** The routes for the tokens and the sessions of the caller's account. */
export async function tokenRoutes(app: FastifyInstance, context: Context): Promise<void> {
  const { db, audit, sessions } = context
  const on = endpointsOn(app, webApi, remarksOn)

  on('GET /-/api/tokens', async ({ request }) => {
    const account = signedIn(request)
    return { tokens: await tokensOf(db, account.id) }
  })
  on('POST /-/api/tokens', async ({ body, request }) => {
    const account = await deployer(context, request)
    return audit.record(request, { action: 'makeToken', object: body.name }, (write) =>
      db.transaction().execute(async (trx) => {
        const made = await makeToken(trx, account.id, body)
        await write(trx, { object: made.id, after: body })
        return made
      }),
    )
  })
  on('DELETE /-/api/tokens/:id', async ({ params, request }) => {
    const account = signedIn(request)
    await audit.record(request, { action: 'revokeToken', object: params.id }, (write) =>
      db.transaction().execute(async (trx) => {
        const name = await removeToken(trx, params.id, account.id)
        await write(trx, name === undefined ? {} : { before: { name } })
      }),
    )
    return {}
  })

  on('GET /-/api/sessions', async ({ request }) => {
    const account = signedIn(request)
    return { sessions: await sessions.of(account, request) }
  })
  on('DELETE /-/api/sessions', async ({ request }) => {
    const account = signedIn(request)
    await audit.record(request, { action: 'endSessions' }, (write) => sessions.end(account, undefined, write))
    return {}
  })
  on('DELETE /-/api/sessions/:id', async ({ params: { id }, request }) => {
    const account = signedIn(request)
    await audit.record(request, { action: 'endSession', object: id }, (write) => sessions.end(account, id, write))
    return {}
  })
}
