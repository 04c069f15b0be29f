/* image.c: copies of files' pages that Mach can map into tasks.

   Memory that Mach maps copied-on-write from here must never be written again: each such write would leave the old
   page behind, out of reach, for as long as the server lives. Frames are reused, so they are not mapped themselves; a
   run of frames is copied once, and the copy serves every task that maps the same run. While the copy lives it counts
   as a user of its frames: who changes one says so (image_forget), and what maps it later gets a new copy. A private mapping is thus a copy of the time
   when it was made, where Linux shows later writes in pages not yet touched. */

#include "server.h"

#define IMAGES 0xa0000000u
#define RUN 64u       /* frames in one run, at most */
#define IMAGE_COUNT 480u /* runs: 120 MiB */

struct image {
	void *frames[RUN];
	unsigned pages, used; /* used: when */
};

static struct image images[IMAGE_COUNT];
static unsigned turn;

static char *place(unsigned i)
{
	return (char *)(IMAGES + i * RUN * PAGE_SIZE);
}

static void forget(unsigned i)
{
	unsigned n;

	if (!images[i].pages)
		return;
	vm_deallocate(self, (unsigned)place(i), images[i].pages * PAGE_SIZE);
	for (n = 0; n < images[i].pages; n++)
		machine_frame_drop(images[i].frames[n]);
	images[i].pages = 0;
}

static int same(struct image *image, void **frames, unsigned pages)
{
	return image->pages == pages && image->frames[0] == frames[0] && !memcmp(image->frames, frames, pages * sizeof *frames);
}

int image_map(port task, address at, void **frames, unsigned pages)
{
	unsigned i, n, oldest = 0;

	for (i = 0; i < IMAGE_COUNT; i++) {
		if (same(&images[i], frames, pages))
			break;
		if (!images[i].pages || (images[oldest].pages && images[i].used < images[oldest].used))
			oldest = i;
	}
	if (i == IMAGE_COUNT) {
		i = oldest;
		forget(i);
		if (!memory_reserve((unsigned)place(i), pages * PAGE_SIZE))
			return -1;
		for (n = 0; n < pages; n++) {
			memcpy(place(i) + n * PAGE_SIZE, frames[n], PAGE_SIZE);
			machine_frame_keep(frames[n]);
			images[i].frames[n] = frames[n];
		}
		images[i].pages = pages;
	}
	images[i].used = ++turn;
	return vm_write(task, at, place(i), pages * PAGE_SIZE, 0) ? -1 : 0;
}

void image_forget(void *frame)
{
	unsigned i, n;

	if (machine_frame_users(frame) < 2)
		return;
	for (i = 0; i < IMAGE_COUNT; i++)
		for (n = 0; n < images[i].pages; n++)
			if (images[i].frames[n] == frame) {
				forget(i);
				break;
			}
}
