// Loaded into a child beforehand, with --expose-gc: on SIGUSR2 it collects garbage, and prints how many bytes are left, and how many are resident.
process.on('SIGUSR2', () => {
  globalThis.gc?.()
  // What the first collection found dead may have finalizers, and what they let go is collected by the second one.
  setTimeout(() => {
    globalThis.gc?.()
    const { heapUsed, external, rss } = process.memoryUsage()
    console.log(`memory ${heapUsed + external} ${rss}`)
  }, 50)
})
