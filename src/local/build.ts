/** `npm run build`: what `wrangler deploy` uploads. */
import { buildWeb, describeBuild } from './build-web.ts';
import { buildWorker } from './build-worker.ts';

const [web] = await Promise.all([buildWeb(), buildWorker()]);
console.log(describeBuild(web));
