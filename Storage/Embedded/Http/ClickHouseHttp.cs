using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Sketch.Storage.Sql;

namespace Sketch.Storage.Embedded.Http;

/// <summary>
/// ClickHouse's HTTP interface over the embedded engine. Two users: the node's writer, who has a secret, and "default", an analyst
/// whose statements pass <see cref="SqlGate"/> and limits.
/// </summary>
internal sealed class ClickHouseHttp(EmbeddedEngine engine, string secret, ReaderLimits limits, TimeProvider time) : IDisposable
{
    /// <summary>The node's own user.</summary>
    public const string Writer = "sketch";

    private readonly byte[] _secret = Encoding.UTF8.GetBytes(secret);
    private readonly HttpSessions _sessions = new(time);
    private readonly SemaphoreSlim _readers = new(limits.MaxConcurrent);
    private int _waiting;

    /// <summary>Answers one request.</summary>
    public async Task HandleAsync(HttpContext context)
    {
        HttpCall? call = null;
        HttpReply? reply = null;
        try
        {
            call = await HttpCall.ReadAsync(context);
            reply = new HttpReply(call, engine, time);
            string user = Authenticate(call);
            if (user == Writer)
            {
                await RunAsync(call, reply, user);
            }
            else
            {
                await RunReaderAsync(call, reply, user);
            }
        }
        catch (ChdbException error)
        {
            call ??= new HttpCall { Context = context };
            await (reply ?? new HttpReply(call, engine, time)).FailAsync(error);
        }
        catch (Exception error) when (SqlBody.IsBad(error) && !context.RequestAborted.IsCancellationRequested)
        {
            int code = error is BadBodyException bad ? bad.Code : HttpErrors.NotDecompressed;
            await reply!.FailAsync(new ChdbException(code, $"the body cannot be decompressed: {error.Message}"));
        }
        catch (Exception error) when (error is OperationCanceledException or IOException && context.RequestAborted.IsCancellationRequested)
        {
            // The client went away; whatever it had running was cancelled.
        }
    }

    /// <summary>Closes the connections of all sessions; the engine can end then.</summary>
    public void CloseSessions() => _sessions.Dispose();

    public void Dispose()
    {
        _sessions.Dispose();
        _readers.Dispose();
    }

    private string Authenticate(HttpCall call)
    {
        (string user, string password) = call.Credentials();
        bool writer = user == Writer && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(password), _secret);
        bool reader = user == "default" && password.Length == 0;
        return writer || reader
            ? user
            : throw new ChdbException(
                HttpErrors.AuthenticationFailed, $"{user}: Authentication failed: password is incorrect, or there is no user with such name");
    }

    private async Task RunReaderAsync(HttpCall call, HttpReply reply, string user)
    {
        if (Interlocked.Increment(ref _waiting) > limits.MaxConcurrent * 5)
        {
            Interlocked.Decrement(ref _waiting);
            throw new ChdbException(
                HttpErrors.TooManyQueries, $"Too many simultaneous queries: {limits.MaxConcurrent} run and {limits.MaxConcurrent * 4} wait; try again");
        }

        try
        {
            await _readers.WaitAsync(call.Aborted);
            try
            {
                await RunAsync(call, reply, user);
            }
            finally
            {
                _readers.Release();
            }
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }

    private async Task RunAsync(HttpCall call, HttpReply reply, string user)
    {
        bool reader = user != Writer;
        string? refused = reader ? call.Settings.Keys.FirstOrDefault(s => !SqlGate.AllowsParameter(s)) : null;
        if (refused is not null)
        {
            throw new ChdbException(HttpErrors.ReadOnly, $"Cannot modify '{refused}' setting in readonly mode");
        }

        if (!reader && HttpMethods.IsGet(call.Context.Request.Method))
        {
            call.Settings["readonly"] = "2"; // as ClickHouse: GET changes nothing
        }

        // Found by the id that its client chose, and stopped by what no other has.
        string mark = $"{call.QueryId} {Guid.NewGuid():N}";
        call.Settings["log_comment"] = mark;
        call.Settings["async_insert"] = "0";
        string database = Database(call, reader);
        HttpSessions.Session? session = null;
        ChdbConnection? own = null;
        try
        {
            if (call.SessionId is { Length: > 0 } id)
            {
                session = _sessions.Take(user, id, () => engine.Connect(database, new Dictionary<string, string>(), reader));
                engine.Set(session.Connection!, call.Settings, reader);
            }
            else
            {
                own = engine.Connect(database, call.Settings, reader);
            }

            await new StatementRunner(engine, own ?? session!.Connection!, call, reply, mark).RunAsync(reader);
        }
        finally
        {
            session?.Release();
            own?.Dispose();
        }
    }

    /// <summary>Readers see one database, under the name that clients use when they know of none as well.</summary>
    private static string Database(HttpCall call, bool reader)
    {
        string database = call.Database is { Length: > 0 } name && name != "default" ? name : EmbeddedEngine.Database;
        return reader && database != EmbeddedEngine.Database
            ? throw new ChdbException(HttpErrors.AccessDenied, $"database is {database}; allowed: {EmbeddedEngine.Database}")
            : database;
    }
}
