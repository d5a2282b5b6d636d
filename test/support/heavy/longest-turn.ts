/*
 * Loaded into a child beforehand: on SIGUSR2 it prints for how long one turn of its event loop has kept the main thread busy
 * at most since the signal before, in milliseconds.
 *
 * What counts is the thread's own CPU time between two looks. A timer of 1 ms looks after every turn that took longer, so the
 * figure is that of the longest turn, and at most 1 ms more. On a quiet machine that is the delay of the event loop; on a busy
 * one the delay includes what other processes took meanwhile, and this does not.
 */
let looked = process.threadCpuUsage()
let longest = 0

function look(): void {
  const { user, system } = process.threadCpuUsage(looked)
  longest = Math.max(longest, (user + system) / 1000)
  looked = process.threadCpuUsage()
}

setInterval(look, 1).unref()
process.on('SIGUSR2', () => {
  look()
  console.log(`turn ${longest.toFixed(1)}`)
  longest = 0
})
