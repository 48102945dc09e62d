using System.Globalization;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Primitives;
using Sketch.Engine.Checkpoints;
using Sketch.Storage.Store;

namespace Sketch.Server.Sql;

/// <summary>
/// send_progress_in_http_headers=1: while a statement runs, and until its answer begins, its progress is sent in headers named X-ClickHouse-Progress. They show
/// a client how far it is, and keep what stands between from closing a connection on which nothing comes.
/// </summary>
internal sealed class ProgressHeaders(RequestDelegate next, Func<string, CancellationToken, Task<QueryProgress?>> read, TimeProvider time)
{
    private const string Wanted = "send_progress_in_http_headers";
    private const string Interval = "http_headers_progress_interval_ms";
    private const int BadArguments = 36;
    private const int DefaultIntervalMs = 100;
    private const int MinIntervalMs = 10;
    private const int MaxIntervalMs = 3_600_000;

    // Clients take 16 KiB of headers (Node.js) or 64 (.NET): after so many of them the interval doubles, which makes 10 KiB of a minute.
    private const int HeadersAnInterval = 8;

    /// <summary>Answers one request.</summary>
    public async Task InvokeAsync(HttpContext context)
    {
        Dictionary<string, StringValues> parameters = new(context.Request.Query, StringComparer.Ordinal);
        bool wanted = parameters.Remove(Wanted, out StringValues value) && value == "1";
        parameters.Remove(Interval, out StringValues interval);
        // The connection has it on the SQL port only.
        if (!wanted || context.Features.Get<EarlyHeaders>() is not { } early)
        {
            await next(context).ConfigureAwait(false);
            return;
        }

        if (!TryParse(interval.ToString(), out TimeSpan every))
        {
            await SqlErrors.WriteAsync(
                context, StatusCodes.Status400BadRequest, BadArguments,
                $"{Interval} is {Rest.Problem.Shorten(interval.ToString())}; allowed: {MinIntervalMs} to {MaxIntervalMs}").ConfigureAwait(false);
            return;
        }

        string id = parameters.TryGetValue("query_id", out StringValues asked) && asked.ToString().Length > 0 ? asked.ToString() : Guid.NewGuid().ToString();
        parameters["query_id"] = id;
        context.Request.QueryString = new QueryString(QueryHelpers.AddQueryString("", parameters));
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        Task sending = SendAsync(early, id, every, stop.Token);
        context.Response.OnStarting(EndAsync);
        try
        {
            await next(context).ConfigureAwait(false);
        }
        finally
        {
            await EndAsync().ConfigureAwait(false);
        }

        async Task EndAsync()
        {
            if (sending.IsCompleted)
                return;
            await stop.CancelAsync().ConfigureAwait(false);
            await sending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task SendAsync(EarlyHeaders early, string id, TimeSpan every, CancellationToken cancellationToken)
    {
        for (int sent = 0; !cancellationToken.IsCancellationRequested;)
        {
            await Task.Delay(every, time, cancellationToken).ConfigureAwait(false);
            QueryProgress? progress = await ReadAsync(id, cancellationToken).ConfigureAwait(false);
            // A statement that does not run (yet) may still be refused, with a status that says so.
            if (progress is not { } now || cancellationToken.IsCancellationRequested)
                continue;
            await early.SendAsync("X-ClickHouse-Progress", Text(now), CancellationToken.None).ConfigureAwait(false);
            if (++sent % HeadersAnInterval == 0)
                every *= 2;
        }
    }

    // Without ClickHouse's answer there is no progress to tell; the statement's own answer says what is wrong.
    private async Task<QueryProgress?> ReadAsync(string id, CancellationToken cancellationToken)
    {
        try
        {
            return await read(id, cancellationToken).ConfigureAwait(false);
        }
        catch (CheckpointStoreException)
        {
            return null;
        }
    }

    private static bool TryParse(string text, out TimeSpan interval)
    {
        int milliseconds = DefaultIntervalMs;
        bool good = text.Length == 0 || int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out milliseconds);
        interval = TimeSpan.FromMilliseconds(milliseconds);
        return good && milliseconds is >= MinIntervalMs and <= MaxIntervalMs;
    }

    private static string Text(QueryProgress p) => string.Create(CultureInfo.InvariantCulture,
        $$"""{"read_rows":"{{p.ReadRows}}","read_bytes":"{{p.ReadBytes}}","written_rows":"{{p.WrittenRows}}","written_bytes":"{{p.WrittenBytes}}","total_rows_to_read":"{{p.RowsToRead}}","result_rows":"0","result_bytes":"0","elapsed_ns":"{{(long)p.Elapsed.TotalNanoseconds}}","memory_usage":"{{p.MemoryBytes}}"}""");
}
