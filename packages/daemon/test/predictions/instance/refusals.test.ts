import type { DeploymentId } from '@origami/protocol/demo'
import { beforeEach, expect, test } from 'vitest'
import { Refusals } from '../../../src/predictions/instance/refusals.ts'

const route = {
  endpoint: 'http://127.0.0.1:1',
  deployment: { id: 'deployment-1' as DeploymentId },
  times: { ready_within: 10 },
}
let now: number
let lookedAt: string[]
let refusals: Refusals
beforeEach(() => {
  now = 0
  lookedAt = []
  refusals = new Refusals(
    { retryMs: [1000, 4000] },
    (deployment, fault) => lookedAt.push(`${deployment} ${fault}`),
    () => now,
  )
})
/** Tries it `count` times, each time as soon as that is allowed: at 0, 1, 5, 9, 13 … seconds. */
const tries = (count: number, refused: () => void): number[] =>
  Array.from({ length: count }, () => {
    refused()
    const wait = refusals.waitMs(route.endpoint)
    now += wait
    return wait
  })

test('an instance that takes nothing is left alone longer each time, and for no time once it took something', () => {
  expect(tries(3, () => refusals.refused(route))).toEqual([1000, 4000, 4000])
  refusals.refused(route)
  refusals.took(route.endpoint)
  expect(refusals.waitMs(route.endpoint)).toBe(0)
})

test('of several that were on their way at once the first counts', () => {
  refusals.refused(route)
  now += 10
  refusals.refused(route)
  expect(refusals.waitMs(route.endpoint)).toBe(990)
})

test('one that takes nothing for as long as it may take to be ready is looked at, once in that time', () => {
  tries(4, () => refusals.refused(route))
  expect(lookedAt).toEqual([])
  tries(1, () => refusals.refused(route))
  expect(lookedAt).toEqual(['deployment-1 takes nothing'])
  tries(2, () => refusals.refused(route))
  expect(lookedAt).toEqual(['deployment-1 takes nothing'])
})

test('one that is full is left alone longer each time, and looked at once a runtime would have room again', () => {
  expect(tries(24, () => refusals.full(route)).slice(0, 3)).toEqual([1000, 4000, 4000])
  expect(lookedAt).toEqual([])
  tries(1, () => refusals.full(route))
  expect(lookedAt).toEqual(['deployment-1 has no room'])
  tries(22, () => refusals.full(route))
  expect(lookedAt).toEqual(['deployment-1 has no room'])
})

test('one that is full is given no more time because it also takes nothing between, or because others ask it', () => {
  tries(23, () => refusals.full(route))
  tries(1, () => refusals.refused(route))
  tries(1, () => refusals.full(route))
  expect(lookedAt).toEqual(['deployment-1 has no room'])
})

test('one that is full and took something has its whole time from then on', () => {
  tries(23, () => refusals.full(route))
  refusals.took(route.endpoint)
  tries(10, () => refusals.full(route))
  expect(lookedAt).toEqual([])
})

test('one that was full and then takes nothing has its whole time from then on', () => {
  tries(20, () => refusals.full(route))
  tries(2, () => refusals.refused(route))
  expect(lookedAt).toEqual([])
  tries(1, () => refusals.refused(route))
  expect(lookedAt).toEqual(['deployment-1 takes nothing'])
})

test('one that is a route no more is forgotten', () => {
  refusals.refused(route)
  refusals.keep(new Set(['http://127.0.0.1:2']))
  expect(refusals.waitMs(route.endpoint)).toBe(0)
})
