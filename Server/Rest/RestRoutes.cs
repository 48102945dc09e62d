using Sketch.Engine;
using Sketch.Engine.Audit;
using Sketch.Engine.Reads;
using Sketch.Realtime.Alerts;
using Sketch.Server.Sql;
using Sketch.Server.Streams;

namespace Sketch.Server.Rest;

/// <summary>Every REST route, with what /openapi/v1.json says of it.</summary>
internal static class RestRoutes
{
    /// <summary>Maps the routes.</summary>
    public static void MapSketchRest(this IEndpointRouteBuilder app)
    {
        app.MapGet("/health/live", HealthRoutes.LiveAsync)
            .Describe("Health", "Is the process alive?", "200 as long as the process answers, also while a long log is replayed.")
            .Produces<HealthAnswer>();
        app.MapGet("/health/ready", HealthRoutes.ReadyAsync)
            .Describe("Health", "Does the node count?", "200 once the engine is open and while it counts; 503 with the same body before, when it stops, and after a failure.")
            .Produces<HealthAnswer>()
            .Produces<HealthAnswer>(503);

        app.MapGet("/metrics", MetricsRoute.GetAsync)
            .Describe("Health", "Figures for Prometheus", "In the text format of Prometheus, version 0.0.4.")
            .Produces<string>(200, "text/plain");

        app.MapPost("/v1/sql", SqlRoute.PostAsync)
            .Describe(
                "SQL",
                "Ask ClickHouse",
                $"The same answers as at the SQL port, with the same limits: the body, of the type {SqlRoute.ContentType}, is one statement that reads; ClickHouse's parameters "
                    + "(default_format, param_NAME for {NAME:Type} in the statement) stand in the query. Errors of ClickHouse are its own text.")
            .Produces<string>(200, "text/plain")
            .Problems(415, 503);
        app.MapPost("/v1/backups", OperationsRoutes.BackupAsync)
            .Describe(
                "Operations",
                "Make a backup",
                "Of the running node, into a folder of its own in the directory; answered once it is on disk. Incremental to the last full one unless full is true or there is none. "
                    + "Older ones go: keep of them stay (1 to 1000, default 30), and those that they need.")
            .Body<Backups.BackupBody>(required: true)
            .Produces<Backups.BackupAnswer>(201)
            .Problems(400, 409, 413, 415, 503);
        app.MapPost("/v1/verify", OperationsRoutes.VerifyAsync)
            .Describe(
                "Operations",
                "Verify what is stored",
                "Computes windows again from the log and compares them with their deltas, totals in memory with those in ClickHouse, hours with deltas and days with hours.")
            .Produces<Verify.VerifyAnswer>()
            .Problems(409, 415, 503);

        RouteGroupBuilder namespaces = app.MapGroup("/v1/namespaces");
        MapNamespaces(namespaces);
        MapCounters(namespaces.MapGroup("/{namespace}"));
        MapAlerts(namespaces.MapGroup("/{namespace}/alerts"));
    }

    private static void MapNamespaces(RouteGroupBuilder namespaces)
    {
        namespaces.MapGet("", NamespaceRoutes.ListAsync)
            .Describe("Namespaces", "List the namespaces", "All of the node, by name.")
            .Produces<NamespacesAnswer>();
        namespaces.MapPut("/{namespace}", NamespaceRoutes.PutAsync)
            .Describe(
                "Namespaces",
                "Create or change a namespace",
                "The body replaces the definition: a member left out gets its default. Answered once it is on disk. Body members: "
                    + "tier (strong, eventual or approximate; default approximate), durable (every acknowledgement waits for the fsync; default false), "
                    + "retentionDays (of the history, 1 to 365; default 30), maxCounters (1 to 100000000; default 10000000), "
                    + "lifetimeDays (for how long a counter stays that nobody increments or defines, 1 to 365; default 30).")
            .Body<NamespaceBody>(required: false)
            .Produces<NamespaceAnswer>()
            .Produces<NamespaceAnswer>(201)
            .Problems(400, 413, 415);
        namespaces.MapGet("/{namespace}", NamespaceRoutes.GetAsync)
            .Describe("Namespaces", "Read a namespace", "Its definition, and how many counters it holds.")
            .Produces<NamespaceAnswer>()
            .Problems(404);
        namespaces.MapGet("/{namespace}/accuracy", AccuracyRoutes.NamespaceAsync)
            .Describe(
                "Accuracy",
                "How often bounds held",
                "At each checkpoint the truth of a window becomes known, and the bounds of its approximate counters are compared with it: realised coverage by confidence over the last windows, "
                    + "bias, largest error, and a warning when coverage is below the promise by more than three standard errors. Figures begin with the process.")
            .Produces<NamespaceAccuracy>()
            .Problems(404);
    }

    private static void MapAlerts(RouteGroupBuilder alerts)
    {
        alerts.MapGet("", AlertRoutes.ListAsync)
            .Describe("Alerts", "List the alerts", "Every rule of the namespace and how it stands, by id.")
            .Produces<AlertsAnswer>()
            .Problems(404);
        alerts.MapPut("/{id}", AlertRoutes.PutAsync)
            .Describe(
                "Alerts",
                "Make or replace an alert",
                "It is judged once a second, and pushed on the hub and to its webhook when it fires or calms down. surely: the truth is beyond the limit at the stated confidence; "
                    + "maybe: it may be. Answered once the rule is on disk.")
            .Body<AlertBody>(required: true)
            .Produces<Alert>()
            .Produces<Alert>(201)
            .Problems(400, 404, 413, 415, 429);
        alerts.MapGet("/{id}", AlertRoutes.GetAsync)
            .Describe("Alerts", "Read an alert", "Its rule, its state, and the figures judged last.")
            .Produces<Alert>()
            .Problems(404);
        alerts.MapDelete("/{id}", AlertRoutes.DeleteAsync)
            .Describe("Alerts", "Delete an alert", "What waits for its webhook is not delivered.")
            .Produces(204)
            .Problems(404);
    }

    private static void MapCounters(RouteGroupBuilder group)
    {
        group.MapPost("/increments", IncrementRoutes.PostAsync)
            .Describe(
                "Counting",
                "Count a batch of increments",
                $"Counters of sums need not be made first; to counters of other kinds elements are added, as {{\"name\",\"element\"}}, once the counter was made with its kind. A batch is counted whole or not at all: the first increment that is not allowed refuses it. At most {EngineLimits.MaxBatchIncrements} "
                    + $"increments and {RequestBody.MaxBytes} bytes; a delta left out is 1. With a producer and a sequence (from 1, one higher for each batch) a retry is counted once: "
                    + $"send the same batch with the same two until it is answered, at most {EngineLimits.ProducerWindow} batches of a producer at a time unanswered. "
                    + "As application/x-ndjson each line is one {\"name\",\"delta\"} or {\"name\",\"element\"}, and producer and sequence are query parameters. "
                    + "The answer has the new values when counters of the tier strong are in the batch (of 1,000 increments at most).")
            .Body<IncrementsBody>(required: true, ContentTypes.NdJson)
            .Query("producer", "sequence")
            .Produces<IncrementsAnswer>()
            .Problems(400, 404, 409, 413, 415, 429, 503, 507);
        group.MapGet("/increments/stream", BatchStreamRoute.GetAsync)
            .Describe(
                "Counting",
                "Count batch after batch on one connection",
                $"A WebSocket with the subprotocol {BatchStream.Protocol}: each binary message is a batch in columns (application/vnd.sketch.batch), at most {BatchStream.MaxUnanswered} of them unanswered. "
                    + "Answers come in the order of the batches, several in a message, 24 bytes each and a problem where a batch was refused; the stream goes on. For senders of millions of increments a second.")
            .Problems(400, 403, 404, 426);
        group.MapPost("/values", CounterRoutes.ValuesAsync)
            .Describe("Reading", "Read many counters", "One consistent cut of up to 1,000 counters, in the order of the names; names that don't exist are left out.")
            .Body<NamesBody>(required: true)
            .Query("confidence")
            .Produces<ValuesAnswer>()
            .Problems(400, 404, 413, 415);
        group.MapGet("/top", CounterRoutes.TopAsync)
            .Describe("Reading", "The heaviest counters", "Of the whole namespace, live, heaviest first.")
            .Query("k", "confidence")
            .Produces<ValuesAnswer>()
            .Problems(400, 404);
        group.MapGet("/watch", WatchRoutes.GetAsync)
            .Describe(
                "Reading",
                "Watch values live",
                "The hub's frames as server-sent events: first all values, then what changed, at most one event in intervalMs. Exactly one of names (may be given many times), prefix, labels and top. "
                    + "A browser's EventSource comes back with Last-Event-ID by itself; then numbering goes on, and skipped says what was missed.")
            .Query("names", "prefix", "labels", "top", "intervalMs", "confidence")
            .Produces<string>(200, "text/event-stream")
            .Problems(400, 403, 404, 429);
        group.MapGet("/counters", CounterRoutes.ListAsync)
            .Describe("Reading", "Find counters", "By name, in ordinal order of the names' UTF-8 bytes, a page at a time.")
            .Query("prefix", "limit", "cursor", "confidence")
            .Produces<ValuesAnswer>()
            .Problems(400, 404);
        group.MapPut("/counters", CounterRoutes.PutUnnamedAsync).ExcludeFromDescription();
        group.MapPut("/counters/{name}", CounterRoutes.PutAsync)
            .Describe(
                "Counters",
                "Create or change a counter",
                "Needed for a kind other than sum, a tier of its own, or labels. The body replaces the definition: kind (sum, distinct or top; it can't change while the counter exists), k (for the kind top: how many items it is asked for, 1 to 1000; default 10), tier (strong, eventual or approximate; default: the namespace's), "
                    + "labels (at most 16 names and values). Changing the tier loses no count.")
            .Body<CounterBody>(required: false)
            .Produces<CounterValue>()
            .Produces<CounterValue>(201)
            .Problems(400, 404, 409, 413, 415, 429);
        group.MapGet("/counters/{name}", CounterRoutes.GetAsync)
            .Describe(
                "Reading",
                "Read a counter",
                "The truth lies between lower and upper at the stated confidence; exact is true when both equal the value. Escape a '/' in the name as %2F.")
            .Query("confidence")
            .Produces<CounterValue>()
            .Problems(400, 404);
        group.MapGet("/counters/{name}/accuracy", AccuracyRoutes.CounterAsync)
            .Describe("Accuracy", "Why a counter's bounds are as they are", "The value, what of it is exact, what the sketches add, the error that they show, the sketch's parameters, and all of it in words.")
            .Query("confidence")
            .Produces<CounterAccuracy>()
            .Problems(400, 404);
        group.MapDelete("/counters/{name}", CounterRoutes.DeleteAsync)
            .Describe(
                "Counters",
                "Delete a counter",
                "Answered once it is on disk; the next read does not find it. Incremented or made again it begins at zero, and may be of another kind.")
            .Produces(204)
            .Problems(400, 404, 503);
        group.MapPost("/counters/{name}/reset", CounterRoutes.ResetAsync)
            .Describe("Counters", "Set a counter to zero", "Answered with its value once that is on disk. Its definition stays.")
            .Produces<CounterValue>()
            .Problems(400, 404, 503);
        group.MapGet("/counters/{name}/top", CounterRoutes.ItemsAsync)
            .Describe(
                "Reading",
                "The largest items of a counter",
                "Of a counter of the kind top, largest first, as one consistent cut. The bounds are certain; an item is certain when no item that is left out can be larger. "
                    + "k left out is what the counter is defined with.")
            .Query("k")
            .Produces<TopItems>()
            .Problems(400, 404, 409);
        group.MapGet("/counters/{name}/history", CounterRoutes.HistoryAsync)
            .Describe("Reading", "History of a counter",
                "Exact sums per step of whole hours from the stored checkpoints; the open window is not in it yet. Of a counter of the kind distinct: how many different "
                    + "elements came in each step, known ones included, with bounds at the confidence; since it was created or reset.")
            .Query("from", "to", "step", "confidence")
            .Produces<HistoryAnswer>()
            .Problems(400, 404, 503);
    }
}
