// The timeouts of a session (a pong within 200 ms) are part of what is tested, so a machine that stands still can
// end one. A failure counts if it is there every time; what had to be tried again is told at the end.

const ATTEMPTS = 3;
const again = new Map(); // name -> the first failure

export async function insist(name, attempt) {
  for (let left = ATTEMPTS; ;) {
    try {
      return await attempt();
    } catch (error) {
      left -= 1;
      if (left === 0) throw error;
      if (!again.has(name)) again.set(name, error.message.split('\n')[0]);
    }
  }
}

export function tellAttempts() {
  if (again.size > 0) console.log(`# tried again: ${[...again].map(([name, why]) => `${name} (${why})`).join('; ')}`);
}
