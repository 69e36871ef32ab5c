import { type Counts, hops, Way } from './way/way.ts'

const predictions = 320

if (process.argv.includes('--help'))
  console.log(`npm run bench:way
What one prediction costs on its way through web server, daemon and runtime, each a process of its own, without a clock:
HTTP requests answered, connections accepted, calls made, handshakes of TLS, what SQLite prepares, runs and commits,
fsyncs (and fdatasyncs), what is parsed and written as JSON, what functions of Buffer copy, and what goes through system
calls as files, pipes and sockets. Then each process's CPU time, which differs between machines. ${predictions}
predictions of a trivial model, by one client and by 32 at a time.`)
else {
  await using way = await Way.open()
  for (const clients of [1, 32]) {
    const { counts, cpuMs } = await way.count(clients, predictions)
    console.log(`\nfor one prediction, ${clients} at a time`)
    console.table(byCount(counts))
    console.log('milliseconds of CPU time')
    console.table(rounded(cpuMs))
  }
}

/** A row for each count, a column for each process. */
function byCount(counts: Record<(typeof hops)[number], Counts>): Record<string, Record<string, number>> {
  const names = Object.keys(counts.web) as (keyof Counts)[]
  const row = (name: keyof Counts) => rounded(Object.fromEntries(hops.map((hop) => [hop, counts[hop][name]])))
  return Object.fromEntries(names.map((name) => [name, row(name)]))
}

function rounded(amounts: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(amounts).map(([name, amount]) => [name, Math.round(amount * 100) / 100]))
}
