import { join } from 'node:path'
import { Command } from 'commander'
import { ensureBuilt } from '../built.ts'
import { checkoutFolder } from '../checkout.ts'
import { readForges } from '../config.ts'
import { exampleLinks, examplesForge } from '../examples-forge.ts'
import { followDeploy } from '../follow-deploy.ts'
import { OwnerSession } from '../owner-session.ts'
import { pythonForDemos } from '../python.ts'
import { configure, startOrigami, untilSignal } from '../servers.ts'
import { settingFlags } from '../settings/flags.ts'
import { keys, quickstartData } from '../settings/keys.ts'
import { reloadAtSighup, sighups } from '../settings/reload.ts'
import { yourOwn } from '../your-own.ts'
import { publishExamples } from './publish-examples.ts'

const flags = settingFlags(['data', 'port', 'daemon_port'], {
  data: quickstartData(keys.data.default),
  engine: 'process',
})

export const quickstartVerb = () =>
  flags
    .addTo(
      new Command('quickstart').description(
        'what `npm start` runs: everything on this machine, with the examples deployed',
      ),
    )
    .action(async (_flags, command: Command) => {
      using heard = sighups()
      const settings = await flags.read(command)
      const { data } = settings.values
      await ensureBuilt()
      const forge = examplesForge(join(data, 'forge'))
      const origami = await startOrigami(settings, [...(await readForges(settings)), forge])
      await using _reloading = await reloadAtSighup({
        heard,
        verb: 'quickstart',
        settings,
        read: () => flags.read(command),
        apply: (next) => configure(origami, next),
      })
      const ended = untilSignal(origami)
      console.log(`Origami is at ${origami.web.url}`)
      console.log(`Sign in as its owner, once: ${origami.web.ownerLink()}`)
      await publishExamples(join(data, 'forge'))
      const links = await exampleLinks(join(checkoutFolder, 'examples'))
      const session = await OwnerSession.open(origami.web.url, origami.web.ownerLink())
      await Promise.race([deployAll(session, links), ended])
      await ended
    })

/** Deploys the examples that are not there yet, in parallel, through the web server's public API. */
async function deployAll(session: OwnerSession, links: readonly string[]): Promise<void> {
  const python = await pythonForDemos()
  const { demos } = await session.call('GET /-/api/mine', {})
  const there = new Set(demos.map((demo) => demo.name))
  await Promise.all(
    links.map(async (link) => {
      const name = link.split('/').at(-1) ?? link
      const lacks = python.lackedBy(join(checkoutFolder, 'examples', name))
      if (there.has(name)) console.log(`/${name}: as it was`)
      else if (lacks) console.log(`/${name}: left out, since it needs ${lacks}`)
      else
        await deployOne(session, link).catch((error: unknown) =>
          console.log(`/${name}: ${error instanceof Error ? error.message : error}`),
        )
    }),
  )
  console.log(`\nThe gallery: ${session.url}`)
  console.log(yourOwn(session.url, checkoutFolder))
}

async function deployOne(session: OwnerSession, link: string): Promise<void> {
  const made = await session.call('POST /-/api/demos', { body: { link } })
  const { page, deployment } = await followDeploy(session, made, console.log)
  const reason = deployment?.reason
  if (reason) console.log(`${page.address}: ${reason}`)
  if (page.state === 'running') console.log(`${session.url}${page.address} answers`)
}
