import { addressHeader, visitorHeader } from '@origami/protocol/control'
import {
  type DemoId,
  type DeploymentId,
  isDemoId,
  isDeploymentId,
  isPredictionId,
  isVisitorId,
  type PredictionId,
  type VisitorId,
} from '@origami/protocol/demo'
import type { FastifyRequest } from 'fastify'
import { z } from 'zod'

/** What was asked for is not there. HTTP 404. */
export class Missing extends Error {
  override readonly name = 'Missing'
  readonly statusCode = 404
}

export const noDemo = (): Missing => new Missing('There is no such demo.')

/** `:demo` of the address. Throws Missing where it cannot be one. */
export const demoParam = ({ params }: FastifyRequest): DemoId => parsed(params, 'demo', isDemoId, 'There is no such demo.')

export const deploymentParam = ({ params }: FastifyRequest): DeploymentId =>
  parsed(params, 'id', isDeploymentId, 'There is no such deployment.')

export const predictionParam = ({ params }: FastifyRequest): PredictionId =>
  parsed(params, 'id', isPredictionId, 'There is no such prediction (any more).')

/** Who calls, as the web server says. Undefined: somebody it trusts to act for the demo's owner. Throws an error of status 422. */
export function visitorOf({ headers }: FastifyRequest): VisitorId | undefined {
  return named(headers, visitorHeader)
}

/** Where somebody calls from who is not signed in, as the web server says. Throws an error of status 422. */
export const addressOf = ({ headers }: FastifyRequest): string | undefined => named(headers, addressHeader)

function named(headers: FastifyRequest['headers'], header: string): VisitorId | undefined {
  const name = headers[header]
  if (name === undefined || name === '') return undefined
  if (typeof name === 'string' && isVisitorId(name)) return name
  throw Object.assign(new Error(`${header}: ${expectedVisitor}`), { statusCode: 422 })
}

const expectedVisitor = 'expected whose, as 1 to 200 characters'
export const visitorId = z.custom<VisitorId>((value) => typeof value === 'string' && isVisitorId(value), expectedVisitor)

/** A whole number in a query, from 0. */
export const wholeNumber = (fallback: number) =>
  z
    .string()
    .regex(/^[0-9]{1,15}$/, 'expected a whole number from 0')
    .transform(Number)
    .default(fallback)

function parsed<Id extends string>(params: unknown, name: string, is: (text: string) => text is Id, otherwise: string): Id {
  const text = (params as Record<string, string | undefined>)[name] ?? ''
  if (!is(text)) throw new Missing(otherwise)
  return text
}
