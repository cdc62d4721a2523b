/**
 * Preloaded into the processes that `npm start` runs: when it dies, however hard, the kernel closes the channel between
 * them, and the process then stops in the orderly way it would on SIGTERM. So nothing is left behind on the ports.
 */
process.once('disconnect', () => {
  process.kill(process.pid, 'SIGTERM');
});
process.channel?.unref();
