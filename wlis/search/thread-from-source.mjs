// What is not built yet: a thread does not know by itself how the sources are read, whatever the program was started with.
import { register } from 'tsx/esm/api';

register();
await import('./search-thread.ts');
