// Loaded first (`node --import`), in a syntax that every Node version can read. It says what is missing before anything
// else fails.
const [major] = process.versions.node.split('.')
if (Number(major) < 24) {
  console.error(`Origami needs Node 24 or newer; this is ${process.versions.node}.`)
  console.error('On Linux `npm ci` brings one of its own for `npm run`; elsewhere install it from https://nodejs.org')
  process.exit(1)
}
