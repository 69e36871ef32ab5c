// Fastify asks whether a plugin fits its version. In a bundle both come from one lockfile and never change apart.
module.exports = { satisfies: () => true, gt: () => false, coerce: (version) => version }
