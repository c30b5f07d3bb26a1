// Rows of the tables.

// { name, steps, parser, ours, reference, why }: `ours` and `reference` only where they differ on purpose; both
// are then whole lists of what the steps see, and `why` tells what is better about ours.
export function wire(name, steps, { parser = 'json', ...differs } = {}) {
  if (differs.ours && !(differs.why && differs.reference)) throw new Error(`${name}: a difference needs reference and why`);
  return { name, steps, parser, ...differs };
}

// The same case on both transports.
export function both(name, stepsOn, options = {}) {
  return ['polling', 'websocket'].map((transport) => {
    const own = typeof options === 'function' ? options(transport) : options;
    return wire(`${name} (${transport})`, stepsOn(transport), own);
  });
}
