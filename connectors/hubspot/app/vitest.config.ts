import { defineConfig } from 'vitest/config';

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
