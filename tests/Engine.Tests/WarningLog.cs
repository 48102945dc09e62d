using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Sketch.Engine;

namespace Sketch.Tests.Engine;

/// <summary>Keeps warnings and worse.</summary>
internal sealed class WarningLog : ILogger<CountingEngine>
{
    private readonly ConcurrentQueue<string> _messages = new();

    public IReadOnlyCollection<string> Messages => _messages;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel))
        {
            _messages.Enqueue(formatter(state, exception));
        }
    }
}
