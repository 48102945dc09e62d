namespace Sketch.Storage.Sql;

/// <summary>A statement that readers may not run; it was not run.</summary>
public sealed class SqlRefusedException : Exception
{
    /// <summary>Creates the exception.</summary>
    /// <param name="message">What was refused, and what is allowed.</param>
    public SqlRefusedException(string message) : base(message)
    {
    }
}
