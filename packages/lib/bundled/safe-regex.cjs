// Find-my-way asks whether the patterns in routes are quick to match. Those of a runtime are ours.
module.exports = () => true
