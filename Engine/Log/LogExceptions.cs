namespace Sketch.Engine.Log;

/// <summary>A record is damaged although good ones follow it: the log must be repaired by a person, never skipped over.</summary>
public sealed class LogCorruptException : IOException
{
    /// <summary>Creates the exception with a message that names file, offset and positions.</summary>
    public LogCorruptException(string message) : base(message)
    {
    }
}

/// <summary>The position asked for was truncated away.</summary>
public sealed class LogTruncatedException : IOException
{
    /// <summary>Creates the exception.</summary>
    public LogTruncatedException(string message) : base(message)
    {
    }
}

/// <summary>The log is whole, but not one that this program may use: of another deployment, a newer version, or with a kind of record it does not know.</summary>
public sealed class LogFormatException : IOException
{
    /// <summary>Creates the exception.</summary>
    public LogFormatException(string message) : base(message)
    {
    }
}
