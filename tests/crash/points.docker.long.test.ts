import { afterAll, beforeAll, expect, test } from 'vitest'
import { CrashWorld, crashMatrix, shareOf } from './points.ts'

let crash: CrashWorld
beforeAll(async () => {
  crash = await CrashWorld.start('docker')
}, 240_000)
afterAll(async () => crash?.[Symbol.asyncDispose](), 60_000)

test('killed before and after each call that changes something, or that asks Docker for it, a daemon goes on: nothing is lost, runs twice or is left over', async () => {
  await crashMatrix(crash, shareOf(process.env.ORIGAMI_TEST_DOCKER_POINTS))
  expect(crash.world.isDaemonThere).toBe(true)
}, 3_000_000)
