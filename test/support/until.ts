/** Waits until a condition holds; fails with a sentence that says what was there instead. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  timeoutMs = 10_000,
  describe: () => string = () => 'the condition did not come true',
): Promise<void> {
  const end = performance.now() + timeoutMs
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`After ${timeoutMs} ms: ${describe()}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** Lets real time pass: for the pace of what a test does. It proves nothing of what does not come. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** Waits until every timer of at most `ms` milliseconds that is running now has fired: timers fire in their order. */
export function timersUpTo(ms: number): Promise<void> {
  return pause(ms + 1)
}

const TICK_MS = 10

/**
 * Measures time in which this process could run: a moment in which the machine keeps it waiting counts as one tick. For
 * limits on what the process does by itself.
 * @returns milliseconds since the call; the first call of it ends the measurement
 */
export function runTime(): () => number {
  let ran = 0
  const timer = setInterval(() => {
    ran += TICK_MS
  }, TICK_MS)
  return () => {
    clearInterval(timer)
    return ran
  }
}

/** For "nothing more comes", where there is nothing that comes instead: long enough for something that would come. */
export function quietPeriod(ms = 300): Promise<void> {
  return pause(ms)
}
