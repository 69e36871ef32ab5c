import { type Counts, hops, Way } from './way/way.ts'

const predictions = 320

if (process.argv.includes('--help'))
  console.log(`npm run bench:way
What one prediction costs on its way through web server, daemon and runtime, each a process of its own, without a clock:
requests, connections, statements, commits, what is parsed and written as JSON; and each process's CPU time, which
differs between machines. ${predictions} predictions of a trivial model, by one client and by 32 at a time.`)
else {
  await using way = await Way.open()
  for (const clients of [1, 32]) {
    const found = await way.count(clients, predictions)
    console.log(`\nfor one prediction, ${clients} at a time`)
    console.table(Object.fromEntries(hops.map((hop) => [hop, shown(found[hop])])))
  }
}

function shown({ rssBytes, ...counts }: Counts): Record<string, number> {
  const rounded = Object.entries(counts).map(([name, count]) => [name, Math.round(count * 100) / 100] as const)
  return { ...Object.fromEntries(rounded), rssMiB: Math.round(rssBytes / 1024 ** 2) }
}
