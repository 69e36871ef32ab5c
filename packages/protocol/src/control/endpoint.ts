import type { z } from 'zod'

/** What an endpoint answers under one status: JSON of a schema, a media type that is no JSON, or nothing to be read. */
export interface Answer {
  readonly what: string
  readonly body?: z.ZodType | `${string}/${string}`
}

/**
 * One route of an API. It is written once: servers validate by it, the OpenAPI document is made of it, callers take
 * their types from it.
 */
export interface Endpoint {
  /** `operationId` of the document. */
  readonly id: string
  readonly tag: string
  readonly summary: string
  readonly description?: string
  readonly params?: z.ZodObject
  readonly query?: z.ZodObject
  readonly body?: z.ZodType
  /** By status, when all is well. */
  readonly answers: Readonly<Record<number, Answer>>
  /** By status, beside what every endpoint refuses. */
  readonly refuses?: Readonly<Record<number, Answer>>
}

/** A table of endpoints: `METHOD /path/:parameter` is the key of each. */
export type Endpoints<E extends Endpoint = Endpoint> = Readonly<
  Record<`${'GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE'} /${string}`, E>
>

type Part<E, Name extends string> = E extends { readonly [K in Name]: infer Schema extends z.ZodType }
  ? Schema
  : undefined
type Output<Schema> = Schema extends z.ZodType ? z.output<Schema> : undefined

/** What a server gets: what was sent, as its schema has it after parsing. */
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

/** What a caller sends, before parsing. */
export type EndpointRequest<E> = Placed<E> & Sendable<E, 'query'> & Sendable<E, 'body'>

type AnswersOf<E> = E extends { readonly answers: infer All } ? All[keyof All] : never

/** What a caller gets when all is well. `undefined`: nothing, or no JSON. */
export type AnswerOf<E> =
  AnswersOf<E> extends { readonly body: infer Schema extends z.ZodType } ? z.output<Schema> : undefined

/** What is sent to an endpoint, whichever it is. */
export interface AnySent {
  readonly params?: object | undefined
  readonly query?: object | undefined
  readonly body?: unknown
}

/**
 * Method and target of a call (RFC 9112, request line): parameters in their places, encoded, and the query behind.
 * Throws RangeError for a parameter that is nothing or dots, which would lead to another endpoint.
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
  // Clients of HTTP resolve `.` and `..` in paths, encoded or not.
  if (/^\.{0,2}$/.test(text))
    throw new RangeError(`expected a value for :${name} of ${key}, got ${JSON.stringify(value)}`)
  return encodeURIComponent(text)
}
