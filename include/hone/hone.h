/* hone on a device: the whole interface, in C.
 *
 *   hone_options options = HONE_OPTIONS_INIT;
 *   options.state_folder = "/var/lib/camera/hone";
 *   options.ticket_file = "ticket.json";
 *   char why[HONE_MESSAGE_BYTES];
 *   hone_device* h = NULL;
 *   if (hone_open(&options, &h, why, sizeof why) != HONE_OK) ...
 *
 *   thread A:  hone_infer(h, image, 784, &result, NULL, 0, NULL, 0);
 *              hone_observe(h, image, 784, label, NULL, 0);
 *   thread B:  for (;;) { hone_step(h, &sleep_ms); sleep for sleep_ms at most; }
 *
 * Threads. hone starts none. hone_infer, hone_observe, hone_sync and hone_status may be called from any
 * threads at once; hone_observe_readings and hone_step from one thread at a time each; hone_open and
 * hone_close when no other call on that handle runs. hone_infer never waits for another thread, the disk
 * or the network, also while a new model goes live. hone_observe waits for the disk only when nobody called
 * hone_step for so long that 256 KiB of samples are queued. hone_step makes at most one exchange over the
 * network (while it looks at a new release: a few) and one piece of local work: it returns at once, unless
 * the network is slow: each request gives up after at most 30 s.
 *
 * Messages. `message` gets one sentence that says what is wrong and what to do, cut to `message_bytes`
 * with a final zero; it may be NULL. It is written only when the code is not HONE_OK.
 *
 * Power may go at any moment: after it the device has the old model or the new one, whole, and every
 * sample that hone_status counted as durable.
 *
 * Growth. Codes and fields are only ever added at the end. Structs begin with their size, so that an
 * application built against an older header works with a newer library and the reverse. */
#ifndef HONE_HONE_H
#define HONE_HONE_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define HONE_API __attribute__((visibility("default")))
#else
#define HONE_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define HONE_MESSAGE_BYTES 512
#define HONE_NO_LABEL (-1)

typedef enum hone_code {
  HONE_OK = 0,
  HONE_UNAVAILABLE = 1,          /* try again later: network, disk */
  HONE_NO_SPACE = 2,             /* disk or spool full */
  HONE_WRONG_BASE = 3,           /* a delta over another model */
  HONE_DAMAGED = 4,              /* a file or a model is broken */
  HONE_UNTRUSTED = 5,            /* a signature, certificate or credential is refused */
  HONE_OLDER_THAN_INSTALLED = 6, /* a release went back */
  HONE_INVALID = 7,              /* the caller's arguments or sample */
  HONE_NOT_FOUND = 8,
  HONE_CANCELLED = 9,
  HONE_NO_MODEL = 10, /* nothing to infer with yet: go on observing */
  HONE_INTERNAL = 11  /* out of memory, or a bug in hone */
} hone_code;

/* "ok", "unavailable", ...; "unknown" for a number that this library does not know. Never NULL. */
HONE_API const char* hone_error_name(int code);

typedef struct hone_device hone_device;

typedef struct hone_options {
  size_t struct_size;        /* HONE_OPTIONS_INIT sets it */
  const char* state_folder;  /* everything hone keeps; made when absent, then for the owner only */
  const char* ticket_file;   /* from `hone device enroll`; NULL or ignored once the device has joined */
  uint64_t spool_bytes_max;  /* of samples on disk that wait for upload; 0: 64 MiB */
  int refuse_when_full;      /* 0: a full spool drops its oldest samples and counts them; else hone_observe says
                                HONE_NO_SPACE */
  uint32_t trial_inferences; /* error-free answers that prove a new model; 0: 50 */
  uint32_t trial_ms;         /* ... or this long without an error; 0: 60 s */
} hone_options;
#define HONE_OPTIONS_INIT \
  { sizeof(hone_options), NULL, NULL, 0, 0, 0, 0 }

/* Loads what an earlier run installed; needs no network, joins in the first hone_step. */
HONE_API hone_code hone_open(const hone_options* options, hone_device** out, char* message, size_t message_bytes);

/* Frees everything. Samples that are queued are written and synced first. NULL is fine. */
HONE_API void hone_close(hone_device* h);

/* Hands over one raw sample as the pipeline's signal describes it, with the index of its label or
 * HONE_NO_LABEL. The bytes are copied. When the cloud wants no samples (the goal is met), it is let go
 * at once and nothing is written. HONE_INVALID, HONE_NO_SPACE, HONE_UNAVAILABLE. */
HONE_API hone_code hone_observe(hone_device* h, const void* sample, size_t sample_bytes, int32_t label, char* message,
                                size_t message_bytes);

typedef struct hone_result {
  size_t struct_size; /* set it to sizeof(hone_result) */
  uint64_t release;   /* of the model that answered */
  int32_t label;      /* index of the largest score */
  float score;
  uint32_t width; /* scores in all */
} hone_result;
#define HONE_RESULT_INIT \
  { sizeof(hone_result), 0, HONE_NO_LABEL, 0.0f, 0 }

/* Runs the live model on one sample. `scores` (may be NULL) gets all of them when `scores_count` has
 * room. HONE_NO_MODEL, HONE_INVALID, HONE_DAMAGED (the model failed; one in its trial is replaced). */
HONE_API hone_code hone_infer(hone_device* h, const void* sample, size_t sample_bytes, hone_result* result,
                              float* scores, size_t scores_count, char* message, size_t message_bytes);

/* ---- streams ----
 * Where the pipeline says [signal] stream, hone cuts the windows: hand over readings as they come, one or many at a
 * time. A reading is one value of each channel, in the signal's dtype.
 *
 *   while (bytes > 0) {
 *     hone_observe_readings(h, readings, bytes, HONE_NOW, HONE_NO_LABEL, &taken, &complete, NULL, 0);
 *     if (complete && hone_infer_window(h, &result, NULL, 0, NULL, 0) == HONE_OK) ...
 *     readings += taken; bytes -= taken;
 *   }
 *
 * Readings have an order: one thread at a time. A power cut costs the readings of a window that is not complete. */
#define HONE_NOW (-1)

/* Takes readings, the oldest first, until a window is complete or they end. A complete window is observed as hone_observe
 * does it, with `label`. `at_ms`: when the last of them was read, in Unix milliseconds, or HONE_NOW; the others came
 * before it at the pipeline's rate. A window that holds a gap is let go. `taken_bytes` (not NULL): hand over what is left
 * in the next call. `window_complete` (may be NULL): 1 when hone_infer_window has another window now; it is, and the
 * readings are taken, also when the window could not be stored (HONE_NO_SPACE, HONE_UNAVAILABLE). HONE_UNAVAILABLE with
 * nothing taken: the pipeline is not known before the first hone_step that reached the cloud. HONE_INVALID. */
HONE_API hone_code hone_observe_readings(hone_device* h, const void* readings, size_t readings_bytes, int64_t at_ms,
                                         int32_t label, size_t* taken_bytes, int* window_complete, char* message,
                                         size_t message_bytes);

/* hone_infer on the newest complete window. HONE_UNAVAILABLE: there is none yet. Waits while another thread hands over
 * readings. */
HONE_API hone_code hone_infer_window(hone_device* h, hone_result* result, float* scores, size_t scores_count,
                                     char* message, size_t message_bytes);

/* Does a bounded amount of work: joins, asks for the offer, pulls and swaps models, uploads. What goes
 * wrong is tried again by itself and stands in hone_status. `sleep_ms` (may be NULL): how long to sleep
 * until the next call; 0: there is more to do at once. */
HONE_API hone_code hone_step(hone_device* h, uint32_t* sleep_ms);

/* Makes every observed sample durable, now. */
HONE_API hone_code hone_sync(hone_device* h, char* message, size_t message_bytes);

typedef enum hone_state {
  HONE_BOOTSTRAPPING = 0, /* no model yet */
  HONE_LEARNING = 1,      /* runs a model below the goal */
  HONE_AUTONOMOUS = 2     /* the goal is met: works for ever without a network */
} hone_state;

typedef struct hone_device_status {
  size_t struct_size; /* set it to sizeof(hone_device_status) */
  int32_t state;      /* hone_state */
  int32_t enrolled;
  uint64_t release; /* that answers; 0: none */
  int32_t goal_met;
  int32_t collecting;        /* whether observed samples are kept */
  uint64_t rows_spooled;     /* wait for upload */
  uint64_t rows_durable;     /* of them, those that a power cut cannot take */
  uint64_t rows_dropped;     /* pushed out by the spool's bound, since open */
  uint64_t rows_uploaded;    /* acknowledged as durable by the cloud, since open */
  uint64_t bytes_uploaded;   /* of samples, as sent and acknowledged, since open */
  uint64_t rows_skipped;     /* observed while the cloud wanted none, since open */
  uint64_t rows_refused;     /* do not fit the signal, since open */
  uint64_t inferences;       /* since open */
  uint64_t inference_errors; /* since open */
  uint32_t models_in_memory; /* never more than 2 */
  char device[80];           /* its id; empty until it joined */
  char update[16];           /* "idle", "fetching", "live", "confirmed", ... */
  char error[512];           /* what does not work at the moment; empty: all is well */
} hone_device_status;

/* A snapshot; never waits for the disk or the network. */
HONE_API hone_code hone_status(const hone_device* h, hone_device_status* out);

HONE_API const char* hone_state_name(int state);

#ifdef __cplusplus
}
#endif

#endif /* HONE_HONE_H */
