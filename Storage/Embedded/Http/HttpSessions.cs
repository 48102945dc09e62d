using System.Collections.Concurrent;

namespace Sketch.Storage.Embedded.Http;

/// <summary>Sessions: connections that stay open between requests, one request at a time, until they are idle too long.</summary>
internal sealed class HttpSessions(TimeProvider time) : IDisposable
{
    private const int MaxSessions = 256;
    private static readonly TimeSpan MaxIdle = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<string, Session> _sessions = new(StringComparer.Ordinal);

    /// <summary>Takes the session for one request.</summary>
    /// <exception cref="ChdbException">Another request has it, or there are too many sessions.</exception>
    public Session Take(string user, string id, Func<ChdbConnection> connect)
    {
        Sweep();
        Session session = _sessions.GetOrAdd(user + "/" + id, _ => new Session(time));
        if (!session.TryTake())
        {
            throw new ChdbException(HttpErrors.SessionLocked, $"session {id} is in use by another request");
        }

        if (session.Connection is null && _sessions.Count > MaxSessions)
        {
            session.Release();
            _sessions.TryRemove(user + "/" + id, out _);
            throw new ChdbException(HttpErrors.TooManyQueries, $"there are {MaxSessions} sessions; allowed: {MaxSessions}");
        }

        try
        {
            session.Connection ??= connect();
            return session;
        }
        catch
        {
            session.Release();
            throw;
        }
    }

    public void Dispose()
    {
        foreach (Session session in _sessions.Values)
        {
            session.Connection?.Dispose();
        }

        _sessions.Clear();
    }

    private void Sweep()
    {
        foreach ((string key, Session session) in _sessions)
        {
            if (session.Idle > MaxIdle && session.TryTake())
            {
                _sessions.TryRemove(key, out _);
                session.Connection?.Dispose();
            }
        }
    }

    /// <summary>One session.</summary>
    public sealed class Session(TimeProvider time)
    {
        private int _taken;
        private long _released = time.GetTimestamp();

        public ChdbConnection? Connection { get; set; }

        public TimeSpan Idle => time.GetElapsedTime(Volatile.Read(ref _released));

        public bool TryTake() => Interlocked.CompareExchange(ref _taken, 1, 0) == 0;

        public void Release()
        {
            Volatile.Write(ref _released, time.GetTimestamp());
            Volatile.Write(ref _taken, 0);
        }
    }
}
