import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { controlEvent, deployTrigger, errorBody } from '../../src/control/routes.ts'

const trigger = { user_access_token: null, user_id: 'ann_1-x', remote_repo_link: 'https://github.com/ann/digits' }

describe('a request to deploy', () => {
  test('of a public repository has no token', () => {
    expect(deployTrigger.parse(trigger)).toEqual(trigger)
    expect(deployTrigger.safeParse({ ...trigger, user_access_token: '' }).success).toBe(false)
    expect(deployTrigger.safeParse({ ...trigger, user_access_token: undefined }).success).toBe(false)
  })

  test('names its user by plain characters alone, since demos are named by them', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[A-Za-z0-9_-]{1,5}.?$/)), (user_id) => {
        const { success } = deployTrigger.safeParse({ ...trigger, user_id })
        expect(success).toBe(user_id !== '' && [...user_id].every((one) => /[A-Za-z0-9_-]/.test(one)))
      }),
    )
    const { error } = deployTrigger.safeParse({ ...trigger, user_id: 'a b' })
    expect(error?.issues[0]?.message).toBe('expected 1 to 100 of A-Z a-z 0-9 _ -')
  })

  test('with a key that nobody reads is refused, so that a misspelt one is not taken for none', () => {
    expect(deployTrigger.safeParse({ ...trigger, commit: 'x' }).success).toBe(false)
  })
})

test('an event and an error of a newer server are read without what is new in them', () => {
  const event = {
    seq: 1,
    demo: 'd',
    deployment: null,
    from: null,
    to: 'LIVE',
    reason: null,
    at: '2026-11-30T00:00:00Z',
  }
  expect(controlEvent.parse({ ...event, colour: 'red' })).toEqual(event)
  expect(errorBody.parse({ error: 'No.', hint: 'x' })).toEqual({ error: 'No.' })
})
