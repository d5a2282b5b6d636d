// Loaded into a child beforehand, with --expose-gc: on SIGUSR2 it collects garbage, and prints how many bytes are left, and how many are resident.
process.on('SIGUSR2', () => {
  globalThis.gc?.()
  const { heapUsed, external, rss } = process.memoryUsage()
  console.log(`memory ${heapUsed + external} ${rss}`)
})
