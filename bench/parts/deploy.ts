import { existsSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { placeOf } from '../../tests/person.ts'
import { atMost, type Row } from '../measured.ts'
import { DockerScript, dockerSocket } from '../servers/docker-script.ts'
import { OurWorld } from '../servers/our-world.ts'
import type { Part } from './part.ts'
import { round } from './throughput.ts'

const part = 'deploy'
const script = 'clone, build and run by a script'

interface Times {
  readonly first: number
  readonly again: number
}

export const deployPart: Part = {
  name: part,
  about: 'from the trigger to the answer with docker, and again without a change, against a script of 20 lines',
  async open({ say }, opened) {
    if (!existsSync(dockerSocket))
      return async () => ({ rows: [], notes: ['Deploys were not measured: docker was not there.'] })
    const world = opened.use(await OurWorld.start({ engine: 'docker' }))
    const docker = opened.use(new DockerScript())
    // What both find in the cache of builds from then on.
    await docker.run(await push(world, 'first'))
    let run = 0
    return async () => {
      run += 1
      const theirs = await theirTimes(docker, await push(world, `theirs-${run}`))
      const ours = await ourTimes(world, await push(world, `ours-${run}`))
      say(
        `  script ${round(theirs.first)} ms, again ${round(theirs.again)} ms; Origami ${round(ours.first)} ms, again ${round(ours.again)} ms`,
      )
      return {
        rows: [
          row('deploy, without examples', ours.first, theirs.first, 1.1),
          row('deploy again, without a change', ours.again, theirs.again, 1.15),
        ],
      }
    }
  },
}

const row = (what: string, ours: number, value: number, most: number): Row => ({
  part,
  what,
  unit: 'ms',
  ours,
  peer: { name: script, value },
  goal: atMost(most),
})

/** A repository whose code no build has seen. */
async function push({ world }: OurWorld, name: string): Promise<{ link: string; git: string }> {
  const link = await world.push('bench/models/word', 'ann', { name, files: { 'new.txt': crypto.randomUUID() } })
  return { link, git: `${world.github.forge.git}${new URL(link).pathname}` }
}

async function theirTimes(docker: DockerScript, { git }: { git: string }): Promise<Times> {
  return { first: await milliseconds(() => docker.run({ git })), again: await milliseconds(() => docker.run({ git })) }
}

async function ourTimes(world: OurWorld, { link }: { link: string }): Promise<Times> {
  let address = ''
  const first = await milliseconds(async () => {
    address = (await world.owner.call('POST /-/api/demos', { body: { link } })).address
    await answers(world, address)
  })
  const again = await milliseconds(async () => {
    const params = placeOf(address)
    const page = await world.owner.call('POST /-/api/demos/:account/:name/deploy', { params })
    await answers(world, address, page.detail?.newest?.id)
  })
  await world.owner.call('DELETE /-/api/demos/:account/:name', { params: placeOf(address) })
  return { first, again }
}

/** Resolves once a demo answers, and by the named deployment if there is one. */
async function answers(world: OurWorld, address: string, deployment?: string): Promise<void> {
  for (;;) {
    const { state, detail } = await world.owner.page(address)
    if (state === 'failed') throw new Error(`${address} failed: ${JSON.stringify(detail)}`)
    const newest = detail?.newest
    if (newest?.state === 'running' && (deployment === undefined || newest.id === deployment)) break
    await setTimeout(20)
  }
  const { status } = await world.owner.demo(address).call('POST /predictions', { body: { input: { word: 'x' } } })
  if (status !== 'succeeded') throw new Error(`expected an answer, got ${status}`)
}

async function milliseconds(work: () => Promise<void>): Promise<number> {
  const begun = performance.now()
  await work()
  return performance.now() - begun
}
