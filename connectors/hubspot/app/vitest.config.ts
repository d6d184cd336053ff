import { defineConfig } from 'vitest/config';

// no test may pass because the machine happens to be in UTC
process.env['TZ'] = 'America/New_York';

export default defineConfig({
  test: {
    include: ['test/**/*.test.{ts,tsx}'],
    environment: 'node',
    restoreMocks: true,
    sequence: { shuffle: true },
    // one process is faster than starting several for tests of milliseconds
    fileParallelism: false,
  },
});
