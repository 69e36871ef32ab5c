import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import fastifyStatic from '@fastify/static'
import { apiIndex, prefersHtml } from '@origami/serving'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { pagePaths } from '../page-paths.ts'
import { Refused } from './accounts/who.ts'
import { type Context, visibleDemo } from './context.ts'

/**
 * The built pages: one index.html for all addresses of ours, with the title of what is there. The browser's router does
 * the rest.
 */
export class Pages {
  private readonly context: Context
  private readonly html: string

  private constructor(context: Context, html: string) {
    this.context = context
    this.html = html
  }

  static async open(context: Context): Promise<Pages> {
    return new Pages(context, await readFile(join(context.config.ui, 'index.html'), 'utf8'))
  }

  async routes(app: FastifyInstance): Promise<void> {
    const root = join(this.context.config.ui, 'assets')
    await app.register(fastifyStatic, {
      root,
      prefix: '/-/assets/',
      immutable: true,
      maxAge: '1y',
      index: false,
      wildcard: false,
    })
    const { demo, ...others } = pagePaths
    for (const path of Object.values(others)) app.get(routeOf(path), async (_request, reply) => this.send(reply))
    app.get(routeOf(demo), { config: { crossOrigin: true } }, async (request, reply) =>
      prefersHtml(request) ? this.demo(request, reply) : this.index(request),
    )
    app.setNotFoundHandler(async (request, reply) => {
      reply.status(404)
      return prefersHtml(request) && request.method === 'GET'
        ? this.send(reply)
        : reply.send({ error: 'There is nothing here.' })
    })
  }

  /** A demo's page. Callers who may not see it get the same page with status 404. */
  async demo(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    try {
      const { title, description } = visibleDemo(this.context, request, reply)
      return this.send(reply, { title, description })
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      return this.send(reply.status(error.statusCode))
    }
  }

  private async index(request: FastifyRequest): Promise<object> {
    visibleDemo(this.context, request)
    return apiIndex
  }

  private send(reply: FastifyReply, about?: { title: string; description: string }): FastifyReply {
    const headTags =
      about &&
      `<title>${escapeHtml(about.title)}</title><meta property="og:title" content="${escapeHtml(about.title)}"><meta property="og:description" content="${escapeHtml(about.description)}">`
    const html = headTags ? this.html.replace(/<title>.*?<\/title>/, () => headTags) : this.html
    return reply.headers({ 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-cache' }).send(html)
  }
}

/** Turns `/$account` of the browser's router into `/:account` of this server. */
const routeOf = (path: string): string => path.replaceAll('$', ':')

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
const escapeHtml = (text: string): string => text.replaceAll(/[&<>"]/g, (character) => entities[character] ?? character)
