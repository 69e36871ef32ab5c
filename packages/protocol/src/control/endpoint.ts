import type { z } from 'zod'

/** The answer of an endpoint under one status: JSON of a schema, a media type other than JSON, or no body. */
export interface Answer {
  readonly what: string
  readonly body?: z.ZodType | `${string}/${string}`
}

/**
 * One route of an API. Servers validate requests by it, the OpenAPI document is generated from it, and callers take
 * their types from it.
 */
export interface Endpoint {
  /** The `operationId` in the OpenAPI document. */
  readonly id: string
  readonly tag: string
  readonly summary: string
  readonly description?: string
  readonly params?: z.ZodObject
  readonly query?: z.ZodObject
  readonly body?: z.ZodType
  /** The answers to successful requests, by status. */
  readonly answers: Readonly<Record<number, Answer>>
  /** The refusals, by status, besides those of every endpoint. */
  readonly refuses?: Readonly<Record<number, Answer>>
}

/** A table of endpoints by key. The key has the form `METHOD /path/:parameter`. */
export type Endpoints<E extends Endpoint = Endpoint> = Readonly<
  Record<`${'GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE'} /${string}`, E>
>

type Part<E, Name extends string> = E extends { readonly [K in Name]: infer Schema extends z.ZodType }
  ? Schema
  : undefined
type Output<Schema> = Schema extends z.ZodType ? z.output<Schema> : undefined

/** The request as the server gets it, parsed by the endpoint's schemas. */
export interface EndpointCall<E> {
  readonly params: Output<Part<E, 'params'>>
  readonly query: Output<Part<E, 'query'>>
  readonly body: Output<Part<E, 'body'>>
}

type Needed<Name extends string, Value> =
  Record<string, never> extends Value ? { readonly [K in Name]?: Value } : { readonly [K in Name]: Value }
type Sendable<E, Name extends 'query' | 'body'> =
  Part<E, Name> extends infer Schema extends z.ZodType
    ? Needed<Name, z.input<Schema>>
    : { readonly [K in Name]?: undefined }
type Placed<E> =
  Part<E, 'params'> extends infer Schema extends z.ZodType
    ? { readonly params: { readonly [K in keyof z.input<Schema>]: string } }
    : { readonly params?: undefined }

/** The request as a caller writes it, before parsing. */
export type EndpointRequest<E> = Placed<E> & Sendable<E, 'query'> & Sendable<E, 'body'>

type AnswersOf<E> = E extends { readonly answers: infer All } ? All[keyof All] : never

/** The answer that a caller gets on success. `undefined`: there is no body, or it is not JSON. */
export type AnswerOf<E> =
  AnswersOf<E> extends { readonly body: infer Schema extends z.ZodType } ? z.output<Schema> : undefined

/** The request to any endpoint. */
export interface AnySent {
  readonly params?: object | undefined
  readonly query?: object | undefined
  readonly body?: unknown
}

/**
 * Method and target of a request (RFC 9112, request line), with encoded parameters and the query. Throws RangeError for
 * a parameter that is empty or consists of dots, because it would lead to another endpoint.
 */
export function requestLine(key: string, { params = {}, query = {} }: AnySent): { method: string; path: string } {
  const [method = '', pattern = ''] = key.split(' ')
  const values: Readonly<Record<string, unknown>> = { ...params }
  const path = pattern.replace(/:(\w+)/g, (_, name: string) => segment(key, name, values[name]))
  const asked = Object.entries(query).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]))
  return { method, path: asked.length === 0 ? path : `${path}?${new URLSearchParams(asked)}` }
}

function segment(key: string, name: string, value: unknown): string {
  const text = String(value ?? '')
  // HTTP clients resolve `.` and `..` in paths, even when they are encoded.
  if (/^\.{0,2}$/.test(text))
    throw new RangeError(`expected a value for :${name} of ${key}, got ${JSON.stringify(value)}`)
  return encodeURIComponent(text)
}
